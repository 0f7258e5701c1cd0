using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dsd.Models.Native;

namespace Dsd.Models.Acceleration;

/// <summary>
/// The few calls and numbers of NVIDIA's library of matrix products that <see cref="MatrixProduct"/> takes (cublasLt.h of CUDA 12 and 13). All calls
/// return 0 for success.
/// </summary>
internal static partial class CublasLt
{
    /// <summary>What this class calls the library; <see cref="CudaDriver.Resolve"/> knows its files.</summary>
    public const string Library = "cublasLt";

    public const int Compute32 = 68;
    public const int Float32 = 0;
    public const int Float16 = 2;
    public const int BFloat16 = 14;
    public const int Float8 = 28; // e4m3

    public const int TransposeFirst = 3;
    public const int Epilogue = 7;
    public const int BiasPointer = 8;
    public const int FirstScalePointer = 17;
    public const int SecondScalePointer = 18;
    public const int FastAccumulation = 25;
    public const int BiasType = 26;
    public const int FirstScaleMode = 31;
    public const int SecondScaleMode = 32;

    public const int Transposed = 1;
    public const int NoEpilogue = 1;
    public const int BiasEpilogue = 4;
    public const int GeluEpilogue = 32;
    public const int GeluBiasEpilogue = 36;
    public const int ScaleOfEachRow = 3;
    public const int MostWorkspace = 1;

    /// <summary>Of both sides, what is added, and the result.</summary>
    public static readonly int[] LeastAlignments = [5, 6, 7, 8];

    private static readonly Lazy<string?> LibraryMissing = new(CudaDriver.ProductsMissing);

    static CublasLt() => RuntimeHelpers.RunClassConstructor(typeof(TensorMemory).TypeHandle);

    /// <summary>What is missing for products to be computed; null if nothing is.</summary>
    public static string? Missing() => LibraryMissing.Value;

    /// <summary>One way to compute a product, as the library proposes it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Proposal
    {
        public Algorithm Algorithm;
        public nuint Workspace;
        public int State;
        public float Waves;
        public long Reserved0;
        public long Reserved1;
    }

    /// <summary>What only the library understands.</summary>
    [InlineArray(8)]
    public struct Algorithm
    {
        private ulong _first;
    }

    [LibraryImport(Library)]
    public static partial int cublasLtCreate(out IntPtr handle);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulDescCreate(out IntPtr description, int computeType, int scaleType);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulDescDestroy(IntPtr description);

    [LibraryImport(Library)]
    public static unsafe partial int cublasLtMatmulDescSetAttribute(IntPtr description, int attribute, void* value, nuint size);

    [LibraryImport(Library)]
    public static partial int cublasLtMatrixLayoutCreate(out IntPtr layout, int type, ulong rows, ulong columns, long leading);

    [LibraryImport(Library)]
    public static partial int cublasLtMatrixLayoutDestroy(IntPtr layout);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulPreferenceCreate(out IntPtr preference);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulPreferenceDestroy(IntPtr preference);

    [LibraryImport(Library)]
    public static unsafe partial int cublasLtMatmulPreferenceSetAttribute(IntPtr preference, int attribute, void* value, nuint size);

    [LibraryImport(Library)]
    public static unsafe partial int cublasLtMatmulAlgoGetHeuristic(
        IntPtr handle, IntPtr description, IntPtr first, IntPtr second, IntPtr added, IntPtr result, IntPtr preference,
        int wanted, Proposal* proposals, out int found);

    [LibraryImport(Library)]
    public static unsafe partial int cublasLtMatmul(
        IntPtr handle, IntPtr description, float* alpha, long first, IntPtr firstLayout, long second, IntPtr secondLayout,
        float* beta, long added, IntPtr addedLayout, long result, IntPtr resultLayout,
        Algorithm* algorithm, long workspace, nuint workspaceSize, IntPtr stream);
}
