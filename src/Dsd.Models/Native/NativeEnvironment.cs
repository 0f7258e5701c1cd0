using System.Runtime.InteropServices;

namespace Dsd.Models.Native;

/// <summary>
/// Environment variables of this process as native libraries read them: .NET's own are a copy, which native code on Linux and macOS never sees.
/// </summary>
internal static class NativeEnvironment
{
    /// <summary>Sets a variable, unless the user has set it. It has no effect on a library that read it before.</summary>
    public static void SetDefault(string name, string value)
    {
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
