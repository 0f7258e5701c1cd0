using System.Runtime.InteropServices;

namespace Dsd.Common.Processes;

/// <summary>
/// Environment variables of this process as native libraries read them: .NET's own are a copy, which native code on Linux and macOS never sees.
/// </summary>
public static class NativeEnvironment
{
    /// <summary>Sets a variable, unless the user has set it. It has no effect on a library that read it before.</summary>
    /// <param name="name">The variable's name.</param>
    /// <param name="value">What native libraries shall read.</param>
    public static void SetDefault(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        if (Environment.GetEnvironmentVariable(name) is not null)
        {
            return;
        }
        if (OperatingSystem.IsWindows())
        {
            Environment.SetEnvironmentVariable(name, value);
        }
        else
        {
            SetEnv(name, value, 0);
        }
    }

    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int SetEnv(string name, string value, int overwrite);
}
