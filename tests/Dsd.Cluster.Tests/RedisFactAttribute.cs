namespace Dsd.Cluster.Tests;

/// <summary>A test that starts a Redis of its own on loopback; where no <c>redis-server</c> is installed it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RedisFactAttribute : FactAttribute
{
    public RedisFactAttribute() => Skip = IsInstalled ? null : "Needs redis-server on the PATH (on Debian: apt-get install redis-server).";

    private static bool IsInstalled =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "redis-server")));
}
