using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dsd.Models.Native;

namespace Dsd.Models.Training.Parallel;

/// <summary>The few calls of NVIDIA's library NCCL (nccl.h, 2.10 and later) that a group of GPUs takes. All but the text return 0 for success.</summary>
internal static partial class Nccl
{
    /// <summary>What this class calls the library; <see cref="CudaDriver.Resolve"/> knows its files.</summary>
    public const string Library = "nccl";

    public const int InProgress = 7;
    public const int Bytes = 1; // ncclUint8
    public const int Float32 = 7;
    public const int Average = 4;

    // There is one resolver for all native libraries of this assembly.
    static Nccl() => RuntimeHelpers.RunClassConstructor(typeof(TensorMemory).TypeHandle);

    /// <summary>Refuses to go on without the library.</summary>
    /// <exception cref="DllNotFoundException">It is not there.</exception>
    public static void Require()
    {
        if (CudaDriver.Resolve(Library) == IntPtr.Zero)
        {
            throw new DllNotFoundException(
                "Training on several GPUs takes NVIDIA's library NCCL (libnccl.so.2), which is not there. Install NVIDIA's package libnccl2 (apt and dnf, from "
                    + "NVIDIA's CUDA repository), or `pip install nvidia-nccl-cu12` and add its folder site-packages/nvidia/nccl/lib to LD_LIBRARY_PATH.");
        }
    }

    /// <summary>Refuses a result that is no success.</summary>
    /// <exception cref="TrainingGroupException">It is none; the message has NCCL's text.</exception>
    public static void Check(int result, string call, int rank)
    {
        if (result is not (0 or InProgress))
        {
            throw new TrainingGroupException(null, $"NCCL: {call} failed on rank {rank}: {Text(result)}. The variable NCCL_DEBUG=WARN makes it say more.");
        }
    }

    /// <summary>What a result means.</summary>
    public static string Text(int result) => Marshal.PtrToStringUTF8(ncclGetErrorString(result)) ?? $"error {result}";

    [LibraryImport(Library)]
    public static partial int ncclGetUniqueId(out UniqueId id);

    [LibraryImport(Library)]
    public static partial int ncclCommInitRank(out IntPtr communicator, int ranks, UniqueId id, int rank);

    [LibraryImport(Library)]
    public static partial int ncclGroupStart();

    [LibraryImport(Library)]
    public static partial int ncclGroupEnd();

    [LibraryImport(Library)]
    public static partial int ncclAllReduce(long from, long to, nuint count, int type, int operation, IntPtr communicator, IntPtr stream);

    [LibraryImport(Library)]
    public static partial int ncclBroadcast(long from, long to, nuint count, int type, int root, IntPtr communicator, IntPtr stream);

    [LibraryImport(Library)]
    public static partial int ncclCommGetAsyncError(IntPtr communicator, out int error);

    [LibraryImport(Library)]
    public static partial int ncclCommDestroy(IntPtr communicator);

    [LibraryImport(Library)]
    public static partial int ncclCommAbort(IntPtr communicator);

    [LibraryImport(Library)]
    private static partial IntPtr ncclGetErrorString(int result);

    /// <summary>What rank 0 makes and all others must have to join; passed by value.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct UniqueId
    {
        /// <summary>How long it is.</summary>
        public const int Length = 128;

        private fixed byte _bytes[Length];

        /// <summary>Its bytes.</summary>
        public static Span<byte> BytesOf(ref UniqueId id) => MemoryMarshal.AsBytes(new Span<UniqueId>(ref id));
    }
}
