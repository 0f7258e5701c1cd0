using System.Net;

namespace Dsd.Cluster.Tests;

public sealed class CurationClusterOptionsTests
{
    private static readonly IPEndPoint Somewhere = new(IPAddress.Loopback, 1234);

    [Fact]
    public void Options_OutOfTheirRange_AreRefusedByName()
    {
        Assert.Contains(
            "ClusterId", Assert.Throws<ArgumentException>(() => new CurationClusterOptions { ClusterId = "a b" }).Message, StringComparison.Ordinal);
        Assert.Contains(
            "LeaseTime",
            Assert.Throws<ArgumentOutOfRangeException>(() => new CurationClusterOptions { LeaseTime = TimeSpan.FromMilliseconds(999) }).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "StallTime",
            Assert.Throws<ArgumentOutOfRangeException>(() => new CurationClusterOptions { StallTime = TimeSpan.FromDays(8) }).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "Patience",
            Assert.Throws<ArgumentOutOfRangeException>(() => new CurationClusterOptions { Patience = TimeSpan.Zero }).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "LeaseSize", Assert.Throws<ArgumentOutOfRangeException>(() => new CurationClusterOptions { LeaseSize = 0 }).Message, StringComparison.Ordinal);
        Assert.Contains(
            "MostLosses", Assert.Throws<ArgumentOutOfRangeException>(() => new CurationClusterOptions { MostLosses = 1001 }).Message, StringComparison.Ordinal);
        Assert.Contains(
            "MaxGridBytes",
            Assert.Throws<ArgumentOutOfRangeException>(() => new CurationClusterOptions { MaxGridBytes = 1000 }).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "Port", Assert.Throws<ArgumentOutOfRangeException>(() => new CurationClusterOptions { Port = 65536 }).Message, StringComparison.Ordinal);
        Assert.Contains(
            "Provider",
            Assert.Throws<ArgumentOutOfRangeException>(() => new CurationClusterOptions { Provider = (ClusterProvider)7 }).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Connection_OfOptionsThatContradictEachOther_IsRefusedByName()
    {
        Assert.Equal("Coordinator", Refused(new() { Coordinator = Somewhere }, isCoordinator: true));
        Assert.Equal("Coordinator", Refused(new(), isCoordinator: false));
        Assert.Equal(
            "Coordinator", Refused(new() { Provider = ClusterProvider.Redis, Coordinator = Somewhere, ConnectionVariable = "PATH" }, isCoordinator: false));
        Assert.Equal("ConnectionVariable", Refused(new() { ConnectionVariable = "PATH" }, isCoordinator: true));
        Assert.Equal("ConnectionVariable", Refused(new() { Provider = ClusterProvider.Sql }, isCoordinator: true));
        Assert.Equal("ConnectionVariable", Refused(new() { Provider = ClusterProvider.Sql, ConnectionVariable = "DSD_TEST_NOT_SET" }, isCoordinator: true));
        Assert.Equal("SqlDriver", Refused(new() { Provider = ClusterProvider.Redis, ConnectionVariable = "PATH", SqlDriver = "Npgsql" }, isCoordinator: true));
    }

    [Fact]
    public void Connection_IsReadFromTheVariableThatIsNamed()
    {
        Assert.Equal(
            Environment.GetEnvironmentVariable("PATH"),
            new CurationClusterOptions { Provider = ClusterProvider.Redis, ConnectionVariable = "PATH" }.Connection(isCoordinator: false));
        Assert.Null(new CurationClusterOptions { Coordinator = Somewhere }.Connection(isCoordinator: false));
    }

    private static string? Refused(CurationClusterOptions options, bool isCoordinator) =>
        Assert.Throws<ArgumentException>(() => options.Connection(isCoordinator)).ParamName;
}
