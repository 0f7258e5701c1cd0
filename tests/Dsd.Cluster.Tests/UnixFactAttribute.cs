namespace Dsd.Cluster.Tests;

/// <summary>A test that sends signals to processes; on Windows it is skipped and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute() => Skip = OperatingSystem.IsWindows() ? "Stops and kills processes by signals, which Windows does not have." : null;
}
