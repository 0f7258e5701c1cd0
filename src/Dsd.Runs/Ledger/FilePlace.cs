using System.Runtime.InteropServices;

namespace Dsd.Runs.Ledger;

/// <summary>
/// A file that is held open, and whether its path still leads to it. On Unix an open file can be deleted, moved or replaced, and who holds
/// it writes on into what nobody will find. Windows lets none of it happen.
/// </summary>
/// <param name="what">What the file is, for messages.</param>
/// <param name="path">Where it lies; it is open already.</param>
internal sealed partial class FilePlace(string what, string path)
{
    private readonly string _path = Path.GetFullPath(path);
    private readonly (ulong Device, ulong Number)? _identity = IdentityOf(Path.GetFullPath(path));

    /// <exception cref="IOException">Another file is there now, or none.</exception>
    public void Check()
    {
        if (Fault() is { } fault)
        {
            throw fault;
        }
    }

    /// <summary>What is wrong; null where the file is in its place.</summary>
    public IOException? Fault() => File.Exists(_path) && IdentityOf(_path) == _identity ? null : Gone(what, _path);

    /// <summary>What is thrown where something is not in its place any more.</summary>
    /// <param name="what">What it is.</param>
    /// <param name="path">Where it was.</param>
    /// <param name="cause">What was caught, where that is how it was found.</param>
    public static IOException Gone(string what, string path, Exception? cause = null) => new(
        $"The {what} '{path}' was deleted, moved or replaced while a process worked with it. What was written since is not there. "
        + "Put the folder back if it was moved, and start again: work goes on with what stands in it.",
        cause);

    /// <summary>Device and number of a file, which no other file gets while this one is held; null where the system does not tell.</summary>
    private static (ulong Device, ulong Number)? IdentityOf(string path)
    {
        byte[] status = new byte[512];
        try
        {
            if (OperatingSystem.IsLinux())
            {
                const int Here = -100;
                const uint InodeOnly = 0x100;
                return StatX(Here, path, 0, InodeOnly, status) == 0 ? (BitConverter.ToUInt64(status, 136), BitConverter.ToUInt64(status, 32)) : null;
            }
            if (OperatingSystem.IsMacOS())
            {
                bool arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
                return (arm ? Stat(path, status) : Stat64(path, status)) == 0 ? (BitConverter.ToUInt32(status, 0), BitConverter.ToUInt64(status, 8)) : null;
            }
        }
        catch (EntryPointNotFoundException)
        {
            // A C library from before statx: whether a file is there has to be enough.
        }
        return null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, [Out] byte[] status);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, [Out] byte[] status);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat64(string path, [Out] byte[] status);
}
