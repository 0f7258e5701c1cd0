using System.Runtime.InteropServices;

namespace Dsd.Common.Files;

/// <summary>Whose folder one is, which .NET does not tell.</summary>
internal static class FileOwner
{
    // Of statx's interface, which is the same on every processor.
    private const int CurrentFolder = -100;
    private const int DoNotFollowLinks = 0x100;
    private const uint WantOwner = 0x8;
    private const int ResultSize = 256;
    private const int OwnerAt = 20;

    /// <summary>Whether a path is a folder of this user and no link.</summary>
    public static bool IsOwnFolder(string path)
    {
        DirectoryInfo folder = new(path);
        if (!folder.Exists || (folder.Attributes & FileAttributes.ReparsePoint) != 0)
        {
            return false;
        }
        if (OperatingSystem.IsLinux())
        {
            return OwnerOf(path) == EffectiveUser();
        }
        // Elsewhere each user has a temporary folder that others cannot write; who may write everywhere removes nothing without knowing its owner.
        return OperatingSystem.IsWindows() || EffectiveUser() != 0;
    }

    private static uint? OwnerOf(string path)
    {
        byte[] result = new byte[ResultSize];
        try
        {
            return StatX(CurrentFolder, path, DoNotFollowLinks, WantOwner, result) == 0 ? MemoryMarshal.Read<uint>(result.AsSpan(OwnerAt)) : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "statx", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int StatX(int folder, string path, int flags, uint mask, byte[] result);

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint EffectiveUser();
}
