using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Dsd.Models.Training.Parallel;

namespace Dsd.Models.Tests.Training.Parallel;

/// <summary>A group whose processes are threads of this one.</summary>
internal static class Ranks
{
    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static TrainingGroupOptions Options(int rank, int world, int port) => new()
    {
        Rank = rank,
        WorldSize = world,
        LocalRank = rank,
        MasterPort = port,
        ConnectTimeout = TimeSpan.FromSeconds(30),
        SilenceTimeout = TimeSpan.FromSeconds(20),
    };

    /// <summary>Runs the work of each rank on a thread of its own and returns what each threw; null for none.</summary>
    public static Exception?[] Try(int world, Action<TcpGroup> work)
    {
        int port = FreePort();
        Exception?[] errors = new Exception?[world];
        Thread[] threads =
        [
            .. Enumerable.Range(0, world).Select(rank => new Thread(() =>
            {
                try
                {
                    using TcpGroup group = (TcpGroup)TrainingGroup.Connect(Options(rank, world, port));
                    work(group);
                }
                catch (Exception e)
                {
                    errors[rank] = e;
                }
            })),
        ];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }
        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(TimeSpan.FromMinutes(3)), "A rank hangs.");
        }
        return errors;
    }

    /// <summary>The same where all must end well.</summary>
    public static void Run(int world, Action<TcpGroup> work)
    {
        if (Try(world, work).FirstOrDefault(e => e is not null) is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }
    }
}
