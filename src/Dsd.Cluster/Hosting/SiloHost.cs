using System.Net;
using System.Net.Sockets;
using Dsd.Cluster.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;

namespace Dsd.Cluster.Hosting;

/// <summary>Builds the silo of a process: what coordinator and workers have in common.</summary>
internal static class SiloHost
{
    /// <summary>What a coordinator's silo is called; there is one in a cluster.</summary>
    public const string CoordinatorName = "coordinator";

    private const int Envelope = 1024 * 1024;

    public static IHost Build(CurationClusterOptions options, bool isCoordinator, Action<ISiloBuilder> configure, Action<ILoggingBuilder>? logging)
    {
        string? connection = options.Connection(isCoordinator);
        IPEndPoint endpoint = new(options.Address ?? Towards(options.Coordinator), options.Port == 0 ? FreePort() : options.Port);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        logging?.Invoke(builder.Logging);
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, QuietLifetime>());
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.ClusterId, "dsd"));
            silo.Configure<EndpointOptions>(o =>
            {
                (o.AdvertisedIPAddress, o.SiloPort, o.GatewayPort) = (endpoint.Address, endpoint.Port, 0);
                o.SiloListeningEndpoint = endpoint;
            });
            // A grid is the largest thing that is sent; what is larger is no message of ours.
            // A call whose answer was lost with a connection is made again after the response time, so several fit into the patience.
            silo.Configure<SiloMessagingOptions>(o =>
            {
                o.MaxMessageBodySize = options.MaxGridBytes + Envelope;
                o.ResponseTimeout = TimeSpan.FromSeconds(Math.Clamp(options.Patience.TotalSeconds / 4, 2, 30));
            });
            silo.Configure<SiloOptions>(o => o.SiloName = isCoordinator ? CoordinatorName : $"worker-{endpoint.Port}");
            silo.AddGrainDirectory(HomeDirectory.Name, (_, _) => new HomeDirectory());
            silo.Configure<ClusterMembershipOptions>(o =>
            {
                // A star: workers have nothing to say to each other, so the coordinator alone watches, and its word is enough. Orleans
                // turns once round all silos for each that is watched, so the number has a bound; beyond it, leases end without.
                (o.LivenessEnabled, o.NumVotesForDeathDeclaration, o.NumProbedSilos) = (isCoordinator, 1, isCoordinator ? 256 : 1);
                // By its own probes alone: asked through another worker, which may be dead or frozen itself, neither of two such would ever
                // be found so; and a connection that was alive within a minute says nothing of one that is frozen now.
                (o.EnableIndirectProbes, o.EnableConnectionLivenessCheck) = (false, false);
                o.MaxJoinAttemptTime = options.Patience;
            });
            silo.Configure<ExceptionSerializationOptions>(o => o.SupportedNamespacePrefixes.Add("Dsd"));
            Find(silo, options, connection, options.Coordinator ?? endpoint);
            WireJson.AddTo(silo.Services);
            configure(silo);
        });
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<Eviction>();
        builder.Services.Replace(ServiceDescriptor.Singleton<IFatalErrorHandler>(services => services.GetRequiredService<Eviction>()));
        return builder.Build();
    }

    private static void Find(ISiloBuilder silo, CurationClusterOptions options, string? connection, IPEndPoint primary)
    {
        switch (options.Provider)
        {
            case ClusterProvider.Redis:
                silo.UseRedisClustering(connection!);
                break;
            case ClusterProvider.Sql:
                silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (options.SqlDriver ?? "Npgsql", connection));
                break;
            default:
                silo.UseDevelopmentClustering(primary);
                break;
        }
    }

    // The system knows from which of its addresses another is reached; nothing is sent.
    private static IPAddress Towards(IPEndPoint? coordinator)
    {
        if (coordinator is null)
        {
            return IPAddress.Loopback;
        }
        using Socket socket = new(coordinator.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(coordinator);
        return ((IPEndPoint)socket.LocalEndPoint!).Address;
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The process is its program's: a silo in it takes no signals.</summary>
    private sealed class QuietLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
