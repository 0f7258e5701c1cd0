using System.Globalization;
using System.Net;
using Dsd.Cluster;
using Dsd.Runs;
using Dsd.Testing.Runs;

// A process of a cluster, for tests that kill some:
//   serve FOLDER CAPTIONS LEASE_MS           coordinates; prints where, then what became of the captions
//   work HOST:PORT PAUSE_MS LEASE_MS         joins; prints 'joined', waits for a line, works, and prints what it did. Each batch takes PAUSE_MS
// With DSD_TEST_REDIS or DSD_TEST_SQL set, processes find each other there and 'work' ignores HOST:PORT.
CurationClusterOptions options = new()
{
    ClusterId = Environment.GetEnvironmentVariable("DSD_TEST_CLUSTER") ?? "dsd",
    Provider = Set("DSD_TEST_REDIS") ? ClusterProvider.Redis : Set("DSD_TEST_SQL") ? ClusterProvider.Sql : ClusterProvider.Embedded,
    ConnectionVariable = Set("DSD_TEST_REDIS") ? "DSD_TEST_REDIS" : Set("DSD_TEST_SQL") ? "DSD_TEST_SQL" : null,
    LeaseTime = TimeSpan.FromMilliseconds(int.Parse(args[3], CultureInfo.InvariantCulture)),
    LeaseSize = 2,
    Patience = TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("DSD_TEST_PATIENCE") ?? "20", CultureInfo.InvariantCulture)),
};
try
{
    if (args[0] == "serve")
    {
        await using RunFolder folder = RunFolder.Open(args[1]);
        await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(
            options, folder, SampleRun.Streamed(SampleRun.Captions(int.Parse(args[2], CultureInfo.InvariantCulture))));
        Console.WriteLine(coordinator.Endpoint);
        Console.WriteLine(await coordinator.RunAsync());
    }
    else
    {
        CurationClusterOptions own = options.Provider == ClusterProvider.Embedded ? options with { Coordinator = IPEndPoint.Parse(args[1]) } : options;
        await using ClusterWorker worker = await ClusterWorker.StartAsync(own);
        Console.WriteLine("joined");
        Console.ReadLine();
        SeededTeacher teacher = new(TimeSpan.FromMilliseconds(int.Parse(args[2], CultureInfo.InvariantCulture)));
        Console.WriteLine(await worker.RunAsync(SampleRun.Options with { BatchSize = 2, Writers = 1, Judges = 2 }, SampleRun.Writer, teacher, new ByteJudge()));
    }
    return 0;
}
catch (ClusterException e)
{
    Console.WriteLine(e.Message);
    return 1;
}

static bool Set(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 };
