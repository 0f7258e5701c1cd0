using System.Runtime.InteropServices;

namespace Dsd.Common.Files;

/// <summary>Second names of a file. .NET has no method for them.</summary>
internal static class HardLink
{
    /// <summary>Gives a file a second name.</summary>
    /// <param name="file">The file.</param>
    /// <param name="name">The new name, where nothing stands.</param>
    /// <returns>False where the file system has no such names, or the two places lie on different ones.</returns>
    public static bool TryCreate(string file, string name)
    {
        try
        {
            return OperatingSystem.IsWindows() ? CreateHardLink(name, file, 0) : Link(file, name) == 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "link")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string file, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    [DllImport("kernel32", EntryPoint = "CreateHardLinkW", CharSet = CharSet.Unicode)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool CreateHardLink(string name, string file, nint security);
}
