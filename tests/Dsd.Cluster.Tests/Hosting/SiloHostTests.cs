using System.Net;
using Dsd.Cluster.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Dsd.Cluster.Tests.Hosting;

public sealed class SiloHostTests
{
    private const string Secret = "hunter2hunter2";

    [Theory]
    [InlineData(ClusterProvider.Redis, "127.0.0.1:1,password=" + Secret + ",abortConnect=true,connectTimeout=500,connectRetry=1", "RedisMembershipTable")]
    [InlineData(ClusterProvider.Sql, "Host=127.0.0.1;Port=1;Username=dsd;Password=" + Secret + ";Database=dsd;Timeout=1", "AdoNetClusteringTable")]
    public async Task AServerThatIsNotThere_IsNamedWithoutItsPassword(ClusterProvider provider, string connection, string table)
    {
        string variable = $"DSD_TEST_CONNECTION_{provider}";
        Environment.SetEnvironmentVariable(variable, connection);
        CurationClusterOptions options = new() { Provider = provider, ConnectionVariable = variable, Patience = TimeSpan.FromSeconds(5) };
        using (IHost host = SiloHost.Build(options, isCoordinator: false, _ => { }, null))
        {
            Assert.Equal(table, host.Services.GetRequiredService<IMembershipTable>().GetType().Name);
        }

        ClusterException e = await Assert.ThrowsAsync<ClusterException>(() => ClusterWorker.StartAsync(options));

        Assert.Contains(variable, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACoordinatorThatIsNotThere_IsNamed()
    {
        CurationClusterOptions options = new() { Coordinator = new IPEndPoint(IPAddress.Loopback, 9), Patience = TimeSpan.FromSeconds(2) };

        ClusterException e = await Assert.ThrowsAsync<ClusterException>(() => ClusterWorker.StartAsync(options));

        Assert.Contains("127.0.0.1:9", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MessagesAreBoundedByTheLargestGrid()
    {
        CurationClusterOptions options = new() { Coordinator = new IPEndPoint(IPAddress.Loopback, 9), MaxGridBytes = 8 * 1024 * 1024 };

        using IHost host = SiloHost.Build(options, isCoordinator: false, _ => { }, null);

        Assert.Equal(9 * 1024 * 1024, host.Services.GetRequiredService<IOptions<SiloMessagingOptions>>().Value.MaxMessageBodySize);
    }
}
