using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Dsd.Tools.Doctor;

/// <summary>
/// Which CUDA the libraries that this program has loaded, or else those beside it, were built for, by the names of NVIDIA's libraries that they ask for.
/// </summary>
internal static partial class CudaLibraries
{
    private const int BlockBytes = 1 << 20;
    private const int LongestName = 64;

    /// <summary>libtorch's CUDA major; null for the build without CUDA.</summary>
    public static int? Torch => Major("libc10_cuda.so", "c10_cuda.dll");

    /// <summary>That of ONNX Runtime; null for the build without CUDA.</summary>
    public static int? OnnxRuntime => Major("libonnxruntime_providers_cuda.so", "onnxruntime_providers_cuda.dll");

    /// <summary>The newest CUDA that the driver runs, such as (12, 8); null where there is no driver.</summary>
    public static (int Major, int Minor)? Driver()
    {
        foreach (string name in new[] { "libcuda.so.1", "nvcuda.dll" })
        {
            if (NativeLibrary.TryLoad(name, out IntPtr library) && NativeLibrary.TryGetExport(library, "cuDriverGetVersion", out IntPtr address)
                && Marshal.GetDelegateForFunctionPointer<GetVersion>(address)(out int version) == 0)
            {
                return (version / 1000, version % 1000 / 10);
            }
        }
        return null;
    }

    /// <summary>The major in the name of the run-time library or cuBLAS that a library's bytes hold; null where they hold none.</summary>
    internal static int? MajorIn(Stream library)
    {
        byte[] block = new byte[BlockBytes + LongestName];
        int kept = 0;
        while (library.Read(block, kept, BlockBytes) is > 0 and int read)
        {
            if (Needed().Match(Encoding.Latin1.GetString(block, 0, kept + read)) is { Success: true } match)
            {
                return int.Parse(match.Groups.Values.Skip(1).First(g => g.Success).Value, CultureInfo.InvariantCulture);
            }
            // A name may lie across two blocks.
            int end = kept + read;
            kept = Math.Min(LongestName, end);
            block.AsSpan(end - kept, kept).CopyTo(block);
        }
        return null;
    }

    private static int? Major(params string[] names)
    {
        string known = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        IEnumerable<string> beside = known.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append(AppContext.BaseDirectory)
            .Append(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"))
            .SelectMany(folder => names.Select(name => Path.Combine(folder, name)));
        // The system's search path may lead elsewhere.
        using Process self = Process.GetCurrentProcess();
        IEnumerable<string> loaded = self.Modules.Cast<ProcessModule>().Select(m => m.FileName).Where(f => names.Contains(Path.GetFileName(f)));
        string? file = loaded.Concat(beside).FirstOrDefault(File.Exists);
        if (file is null)
        {
            return null;
        }
        using FileStream stream = File.OpenRead(file);
        return MajorIn(stream);
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int GetVersion(out int version);

    [GeneratedRegex(@"lib(?:cudart|cublas)[-0-9a-f]{0,20}\.so\.([0-9]{1,2})\0|(?:cudart|cublas)64_([0-9]{2})[0-9]*\.dll", RegexOptions.CultureInvariant)]
    private static partial Regex Needed();
}
