using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Security.Cryptography;
using Dsd.Common.Files;
using TorchSharp;

namespace Dsd.Models.Native;

/// <summary>
/// Makes TorchSharp's native library load on Linux systems whose libstdc++ is older than the one it was linked with
/// (Debian 12, Ubuntu 22.04), and compute right on processors where a library within it does not.
/// </summary>
/// <remarks>
/// The library asks for the symbol version <c>GLIBCXX_3.4.32</c> without using any symbol of it. Where the usual load fails,
/// a copy in which that one request is marked weak is loaded instead. Nothing happens on newer systems.
/// See docs/decisions/old-libstdcxx.md.
/// </remarks>
public static class TorchLibrary
{
    private const string ShimName = "LibTorchSharp";
    private const string UnusedVersion = "GLIBCXX_3.4.32";
    private static readonly Lock Gate = new();
    private static int _registered;
    private static volatile bool _isThere;

    /// <summary>
    /// Registers both. It runs by itself when this assembly is first used; call it only in a program that uses
    /// TorchSharp before it touches any type of Dsd.Models. Calling it again does nothing.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Both must be registered before TorchSharp is first used, and only the runtime knows when that is.")]
    public static void Register()
    {
        if (OperatingSystem.IsLinux() && Interlocked.Exchange(ref _registered, 1) == 0)
        {
            OneDnn.LimitWhereWrong();
            // Raised only after the runtime's own search failed, so a system on which the library loads never comes here.
            AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
        }
    }

    /// <summary>Refuses to go on where libtorch is not there, before the first tensor is made.</summary>
    /// <exception cref="DllNotFoundException">The program brings no libtorch, or one that cannot be loaded; the message says what to add.</exception>
    internal static void Require()
    {
        if (_isThere)
        {
            return;
        }
        Register();
        try
        {
            // Asked before TorchSharp is: where it finds nothing beside the program, it fills the program's folder from NuGet's cache, for notebooks.
            if (Path.GetDirectoryName(typeof(torch).Assembly.Location) == Path.GetDirectoryName(typeof(TorchLibrary).Assembly.Location))
            {
                NativeLibrary.Load(ShimName, typeof(torch).Assembly, null);
            }
            _ = torch.get_num_threads();
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or NotSupportedException or BadImageFormatException)
        {
            string version = typeof(torch).Assembly.GetName().Version?.ToString(3) ?? "";
            throw new DllNotFoundException(
                "This program cannot load libtorch, which models and adapters are computed with. Add one of the packages TorchSharp-cpu, "
                + $"TorchSharp-cuda-linux and TorchSharp-cuda-windows, of version {version}. (Dsd.MLNet brings TorchSharp-cpu.) "
                + $"What loading it says: {(e.InnerException ?? e).Message}",
                e);
        }
        _isThere = true;
    }

    private static IntPtr Resolve(Assembly assembly, string name)
    {
        if (name != ShimName || assembly.GetName().Name != "TorchSharp")
        {
            return IntPtr.Zero;
        }
        lock (Gate)
        {
            string? original = SearchDirectories().Select(d => Path.Combine(d, $"lib{ShimName}.so")).FirstOrDefault(File.Exists);
            byte[] image = original is null ? [] : File.ReadAllBytes(original);
            string hash = Convert.ToHexStringLower(SHA256.HashData(image))[..16];
            if (original is null || !ElfVersions.Weaken(image, UnusedVersion))
            {
                return IntPtr.Zero;
            }
            // The copy may stand in another folder than the libraries it was linked with: load those first, by path.
            foreach (string needed in new[] { "libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so" })
            {
                NativeLibrary.TryLoad(Path.Combine(Path.GetDirectoryName(original)!, needed), out _);
            }
            string file = $"lib{ShimName}.{hash}.so";
            if (WriteOnce(Path.Combine(Path.GetDirectoryName(original)!, file), image) is { } beside)
            {
                return NativeLibrary.Load(beside);
            }
            // A folder of this process alone: in one that others may write, the file could be another by the time it is loaded. What is loaded needs
            // its file no more.
            using ScratchFolder scratch = new("torch");
            return NativeLibrary.Load(WriteOnce(Path.Combine(scratch.Path, file), image) ?? throw new IOException($"'{scratch.Path}' cannot be written."));
        }
    }

    private static IEnumerable<string> SearchDirectories()
    {
        string known = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        return known.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append(AppContext.BaseDirectory)
            .Append(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"));
    }

    /// <summary>The file with the content, written now unless it is there; null where it cannot be written.</summary>
    private static string? WriteOnce(string file, byte[] content)
    {
        if (File.Exists(file) && File.ReadAllBytes(file).AsSpan().SequenceEqual(content))
        {
            return file;
        }
        try
        {
            AtomicFile.Write(file, stream => stream.Write(content));
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
