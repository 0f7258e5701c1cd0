using Xunit;

namespace Dsd.Testing;

/// <summary>A test that reads what only Linux tells; elsewhere it is skipped and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "Reads the process's memory from /proc, which only Linux has.";
}
