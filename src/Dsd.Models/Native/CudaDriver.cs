using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Dsd.Models.Acceleration;
using Dsd.Models.Training.Parallel;
using TorchSharp;

namespace Dsd.Models.Native;

/// <summary>The few calls of NVIDIA's driver and run-time compiler that running kernels of our own takes. All return 0 for success.</summary>
internal static partial class CudaDriver
{
    private const string Driver = "cuda";
    private const string Compiler = "nvrtc";
    private const string Products = CublasLt.Library;
    private static readonly string[] DriverNames = ["libcuda.so.1", "nvcuda.dll"];
    private static readonly string[] ProductNames = ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so", "cublasLt64_13.dll", "cublasLt64_12.dll"];

    // The newest first; each goes with its own CUDA, and any of them compiles what is asked of it here.
    private static readonly string[] CompilerNames = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so", "nvrtc64_130_0.dll", "nvrtc64_120_0.dll"];

    /// <summary>The library behind a name of this class; none for other names.</summary>
    public static IntPtr Resolve(string name) => name switch
    {
        Driver => First(DriverNames),
        Compiler => First(CompilerNames),
        Products => First(ProductNames),
        Nccl.Library => Communication(),
        _ => IntPtr.Zero,
    };

    // There is one resolver for all native libraries of this assembly.
    static CudaDriver() => RuntimeHelpers.RunClassConstructor(typeof(TensorMemory).TypeHandle);

    /// <summary>What is missing for kernels to be compiled and run; null if nothing is.</summary>
    public static string? Missing() =>
        First(DriverNames) == IntPtr.Zero ? "NVIDIA's driver library (libcuda.so.1) is not there"
        : First(CompilerNames) == IntPtr.Zero ? "NVIDIA's run-time compiler (libnvrtc.so.13 or .12) is not there"
        : null;

    /// <summary>What is missing for matrix products; null if nothing is.</summary>
    public static string? ProductsMissing() =>
        First(DriverNames) == IntPtr.Zero ? "NVIDIA's driver library (libcuda.so.1) is not there"
        : First(ProductNames) == IntPtr.Zero ? "NVIDIA's library of matrix products (libcublasLt.so.13 or .12) is not there"
        : null;

    /// <summary>Machine code for a GPU of the given compute capability.</summary>
    /// <exception cref="InvalidOperationException">The source does not compile; the message is the compiler's.</exception>
    public static byte[] Compile(string source, string name, int major, int minor)
    {
        Check(nvrtcCreateProgram(out IntPtr program, source, name, 0, IntPtr.Zero, IntPtr.Zero), nameof(nvrtcCreateProgram));
        try
        {
            IntPtr option = Marshal.StringToCoTaskMemUTF8($"--gpu-architecture=sm_{major}{minor}");
            try
            {
                if (nvrtcCompileProgram(program, 1, [option]) != 0)
                {
                    throw new InvalidOperationException($"'{name}' does not compile for sm_{major}{minor}: {Log(program)}");
                }
            }
            finally
            {
                Marshal.FreeCoTaskMem(option);
            }
            Check(nvrtcGetCUBINSize(program, out nuint size), nameof(nvrtcGetCUBINSize));
            byte[] code = new byte[size];
            Check(nvrtcGetCUBIN(program, code), nameof(nvrtcGetCUBIN));
            return code;
        }
        finally
        {
            _ = nvrtcDestroyProgram(ref program);
        }
    }

    /// <summary>Refuses a result that is no success.</summary>
    public static void Check(int result, string call)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"CUDA: {call} failed with error {result}.");
        }
    }

    private static string Log(IntPtr program)
    {
        if (nvrtcGetProgramLogSize(program, out nuint size) != 0 || size is 0 or > 1 << 20)
        {
            return "no reason given";
        }
        byte[] log = new byte[size];
        return nvrtcGetProgramLog(program, log) == 0 ? Encoding.UTF8.GetString(log).TrimEnd('\0', '\n') : "no reason given";
    }

    private static IntPtr First(string[] names)
    {
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, out IntPtr handle))
            {
                return handle;
            }
        }
        return IntPtr.Zero;
    }

    /// <summary>NCCL as a library of its own, or the one within libtorch where that shows it.</summary>
    private static IntPtr Communication() =>
        First(["libnccl.so.2", "libnccl.so"]) is var own && own != IntPtr.Zero ? own
        : NativeLibrary.TryLoad("libtorch_cuda.so", typeof(torch).Assembly, null, out IntPtr torchs)
            && NativeLibrary.TryGetExport(torchs, nameof(Nccl.ncclCommInitRank), out _) ? torchs
        : IntPtr.Zero;

    [LibraryImport(Driver)]
    public static partial int cuInit(uint flags);

    [LibraryImport(Driver)]
    public static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Driver)]
    public static partial int cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Driver)]
    public static partial int cuDevicePrimaryCtxRetain(out IntPtr context, int device);

    [LibraryImport(Driver, EntryPoint = "cuCtxPushCurrent_v2")]
    public static partial int cuCtxPushCurrent(IntPtr context);

    [LibraryImport(Driver, EntryPoint = "cuCtxPopCurrent_v2")]
    public static partial int cuCtxPopCurrent(out IntPtr context);

    [LibraryImport(Driver)]
    public static partial int cuModuleLoadData(out IntPtr module, byte[] image);

    [LibraryImport(Driver)]
    public static partial int cuModuleGetFunction(out IntPtr function, IntPtr module, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    [LibraryImport(Driver)]
    public static unsafe partial int cuLaunchKernel(
        IntPtr function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ,
        uint sharedBytes, IntPtr stream, void** arguments, void** extra);

    [LibraryImport(Driver, EntryPoint = "cuMemGetInfo_v2")]
    public static partial int cuMemGetInfo(out nuint free, out nuint total);

    [LibraryImport(Driver, EntryPoint = "cuMemHostRegister_v2")]
    public static partial int cuMemHostRegister(long start, nuint bytes, uint flags);

    [LibraryImport(Driver)]
    public static partial int cuMemHostUnregister(long start);

    [LibraryImport(Driver, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial int cuMemcpyHtoDAsync(long to, long from, nuint bytes, IntPtr stream);

    [LibraryImport(Driver)]
    public static partial int cuStreamCreate(out IntPtr stream, uint flags);

    [LibraryImport(Driver)]
    public static partial int cuStreamWaitEvent(IntPtr stream, IntPtr handle, uint flags);

    [LibraryImport(Driver)]
    public static partial int cuStreamSynchronize(IntPtr stream);

    [LibraryImport(Driver, EntryPoint = "cuStreamDestroy_v2")]
    public static partial int cuStreamDestroy(IntPtr stream);

    [LibraryImport(Driver)]
    public static partial int cuEventCreate(out IntPtr handle, uint flags);

    [LibraryImport(Driver)]
    public static partial int cuEventRecord(IntPtr handle, IntPtr stream);

    [LibraryImport(Driver)]
    public static partial int cuEventQuery(IntPtr handle);

    [LibraryImport(Driver)]
    public static partial int cuEventSynchronize(IntPtr handle);

    [LibraryImport(Driver)]
    public static partial int cuEventElapsedTime(out float milliseconds, IntPtr start, IntPtr end);

    [LibraryImport(Driver, EntryPoint = "cuEventDestroy_v2")]
    public static partial int cuEventDestroy(IntPtr handle);

    [LibraryImport(Compiler)]
    private static partial int nvrtcCreateProgram(
        out IntPtr program, [MarshalAs(UnmanagedType.LPUTF8Str)] string source, [MarshalAs(UnmanagedType.LPUTF8Str)] string name,
        int headers, IntPtr sources, IntPtr names);

    [LibraryImport(Compiler)]
    private static partial int nvrtcCompileProgram(IntPtr program, int count, IntPtr[] options);

    [LibraryImport(Compiler)]
    private static partial int nvrtcDestroyProgram(ref IntPtr program);

    [LibraryImport(Compiler)]
    private static partial int nvrtcGetCUBINSize(IntPtr program, out nuint size);

    [LibraryImport(Compiler)]
    private static partial int nvrtcGetCUBIN(IntPtr program, byte[] code);

    [LibraryImport(Compiler)]
    private static partial int nvrtcGetProgramLogSize(IntPtr program, out nuint size);

    [LibraryImport(Compiler)]
    private static partial int nvrtcGetProgramLog(IntPtr program, byte[] log);
}
