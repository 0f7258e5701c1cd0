using Xunit;

namespace Dsd.Testing;

/// <summary>A test that looks at what only Linux has; elsewhere it is skipped and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "Looks at what only Linux has.";
}
