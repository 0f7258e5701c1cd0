using System.Collections.Concurrent;
using Dsd.Models.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>
/// Linear layers on NVIDIA GPUs through cuBLASLt: <c>y = x · weightᵀ + bias</c>. The result may pass through GELU or be added to what is there, and x
/// and weight may be in eight bits. The library proposes several algorithms for a shape: each is tried once, and the fastest is kept.
/// </summary>
internal sealed class MatrixProduct
{
    private const int Proposals = 24;
    private const int Repeats = 5;

    // An algorithm must be this much faster than the library's first choice. Otherwise noise of the clock would decide how a picture is rounded.
    private const double Worthwhile = 0.98;
    // Of tensors, and of parts of them, in bytes: eight numbers of sixteen bits.
    private const uint Alignment = 16;
    private const long WorkspaceBytes = 64L << 20;
    private static readonly ConcurrentDictionary<Shape, MatrixProduct> Planned = new();
    private static readonly ConcurrentDictionary<int, Gpu> Gpus = new();
    private static readonly Lock Gate = new();

    private readonly Shape _shape;
    private readonly Gpu _gpu;
    private readonly Lock _launching = new();
    private readonly IntPtr _description;
    private readonly IntPtr _weightLayout;
    private readonly IntPtr _inputLayout;
    private readonly IntPtr _resultLayout;
    private CublasLt.Algorithm _algorithm;

    private MatrixProduct(Shape shape, Gpu gpu)
    {
        (_shape, _gpu) = (shape, gpu);
        CudaDriver.Check(CublasLt.cublasLtMatmulDescCreate(out _description, CublasLt.Compute32, CublasLt.Float32), nameof(CublasLt.cublasLtMatmulDescCreate));
        Set(CublasLt.TransposeFirst, CublasLt.Transposed);
        Set(CublasLt.Epilogue, (shape.Bias, shape.Gelu) switch
        {
            (true, true) => CublasLt.GeluBiasEpilogue,
            (true, false) => CublasLt.BiasEpilogue,
            (false, true) => CublasLt.GeluEpilogue,
            _ => CublasLt.NoEpilogue,
        });
        if (shape.Bias)
        {
            Set(CublasLt.BiasType, shape.ResultType);
        }
        if (shape.InputType == CublasLt.Float8)
        {
            Set(CublasLt.FirstScaleMode, CublasLt.ScaleOfEachRow);
            Set(CublasLt.SecondScaleMode, CublasLt.ScaleOfEachRow);
            Set(CublasLt.FastAccumulation, (sbyte)1);
        }
        // The library counts columns first: a matrix [rows, columns] of ours is one of [columns, rows] to it, and the product's two sides change places.
        Layout(out _weightLayout, shape.InputType, shape.Inputs, shape.Outputs, shape.Inputs);
        Layout(out _inputLayout, shape.InputType, shape.Inputs, shape.Rows, shape.InputStride);
        Layout(out _resultLayout, shape.ResultType, shape.Outputs, shape.Rows, shape.ResultStride);

        static void Layout(out IntPtr layout, int type, long rows, long columns, long leading) =>
            CudaDriver.Check(
                CublasLt.cublasLtMatrixLayoutCreate(out layout, type, (ulong)rows, (ulong)columns, leading), nameof(CublasLt.cublasLtMatrixLayoutCreate));
    }

    /// <summary>Whether a layer over these rows [rows, inputs] can go this way: it knows no gradient.</summary>
    public static bool Suits(Tensor x, Tensor weight) => FastPaths.Allow(FastPath.TunedProducts)
        && x.device_type == DeviceType.CUDA && x.dtype is ScalarType.BFloat16 or ScalarType.Float16 && x.dtype == weight.dtype && !is_grad_enabled()
        && x.dim() == 2 && x.stride(1) == 1 && weight.is_contiguous() && (x.shape[1] | x.stride(0) | weight.shape[0]) % 8 == 0 && CublasLt.Missing() is null
        && (TensorMemory.Address(x) | TensorMemory.Address(weight)) % Alignment == 0;

    /// <summary><c>x · weightᵀ + bias</c> of x [rows, inputs], weight [outputs, inputs] and bias [outputs].</summary>
    /// <param name="x">Rows whose channels lie side by side.</param>
    /// <param name="weight">In one piece.</param>
    /// <param name="bias">Of the result's type; null for none.</param>
    /// <param name="gelu">Passes the result through GELU in its tanh form.</param>
    /// <param name="to">Where the result goes, [rows, outputs] with channels side by side; null for a new tensor.</param>
    /// <param name="add">What is added, as the result lies or <paramref name="to"/> itself; null for nothing.</param>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias, bool gelu = false, Tensor? to = null, Tensor? add = null)
    {
        Tensor result = to ?? empty(x.shape[0], weight.shape[0], dtype: x.dtype, device: x.device);
        int type = x.dtype == ScalarType.BFloat16 ? CublasLt.BFloat16 : CublasLt.Float16;
        Run(type, type, gelu, x, weight, bias, result, add, null, null);
        return result;
    }

    /// <summary>The same of numbers in eight bits, with a result in bfloat16.</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs], bfloat16.</param>
    /// <param name="gelu">Passes the result through GELU in its tanh form.</param>
    /// <param name="to">Where the result goes, [rows, outputs] with channels side by side; null for a new tensor.</param>
    /// <param name="add">What is added, as the result lies or <paramref name="to"/> itself; null for nothing.</param>
    public static Tensor Linear8(Float8Rows x, Float8Rows weight, Tensor bias, bool gelu = false, Tensor? to = null, Tensor? add = null)
    {
        Tensor result = to ?? empty(x.Values.shape[0], weight.Values.shape[0], dtype: ScalarType.BFloat16, device: x.Values.device);
        Run(CublasLt.Float8, CublasLt.BFloat16, gelu, x.Values, weight.Values, bias, result, add, x.Factors, weight.Factors);
        return result;
    }

    private static void Run(
        int inputType, int resultType, bool gelu, Tensor x, Tensor weight, Tensor? bias, Tensor result, Tensor? add, Tensor? factors, Tensor? weightFactors)
    {
        if (add is not null && add.stride(0) != result.stride(0))
        {
            throw new ArgumentException("What is added must lie as the result does.", nameof(add));
        }
        Shape shape = new(
            x.device_index, x.shape[0], x.shape[1], weight.shape[0], inputType, resultType, x.stride(0), result.stride(0),
            bias is not null, gelu, add is not null);
        Operands operands = new(
            TensorMemory.Address(x), TensorMemory.Address(weight), Address(bias), Address(add ?? result), TensorMemory.Address(result),
            Address(factors), Address(weightFactors));
        MatrixProduct product = Planned.TryGetValue(shape, out MatrixProduct? known) ? known : Plan(shape, operands, result.dtype, result.device);
        using CudaContext.Entry current = product._gpu.Context.Enter();
        // A description holds addresses, so one product of a shape is launched at a time.
        lock (product._launching)
        {
            CudaDriver.Check(product.Launch(operands, product._algorithm), nameof(CublasLt.cublasLtMatmul));
        }
    }

    private static long Address(Tensor? tensor) => tensor is null ? 0 : TensorMemory.Address(tensor);

    private static MatrixProduct Plan(Shape shape, Operands operands, ScalarType resultType, Device device)
    {
        lock (Gate)
        {
            return Planned.GetOrAdd(shape, _ =>
            {
                Gpu gpu = Gpus.GetOrAdd(shape.Device, number => new Gpu(number));
                using CudaContext.Entry current = gpu.Context.Enter();
                MatrixProduct product = new(shape, gpu);
                // What is tried must not change what is added to.
                using Tensor scratch = empty([shape.Rows * shape.ResultStride], resultType, device);
                product.Choose(operands with { Added = TensorMemory.Address(scratch), Result = TensorMemory.Address(scratch) });
                return product;
            });
        }
    }

    private unsafe void Choose(Operands operands)
    {
        Point(operands);
        CudaDriver.Check(CublasLt.cublasLtMatmulPreferenceCreate(out IntPtr preference), nameof(CublasLt.cublasLtMatmulPreferenceCreate));
        Prefer(CublasLt.MostWorkspace, (nuint)WorkspaceBytes);
        foreach (int attribute in CublasLt.LeastAlignments)
        {
            Prefer(attribute, Alignment);
        }
        CublasLt.Proposal* proposals = stackalloc CublasLt.Proposal[Proposals];
        int result = CublasLt.cublasLtMatmulAlgoGetHeuristic(
            _gpu.Handle, _description, _weightLayout, _inputLayout, _resultLayout, _resultLayout, preference, Proposals, proposals, out int found);
        _ = CublasLt.cublasLtMatmulPreferenceDestroy(preference);
        if (result != 0 || found == 0)
        {
            throw new InvalidOperationException($"CUDA: cublasLt has no algorithm for a product of {_shape} (error {result}).");
        }
        (int best, float bestTime) = (0, float.PositiveInfinity);
        for (int i = 0; i < found; i++)
        {
            float time = Time(operands, proposals[i].Algorithm);
            if (time < bestTime * (best == 0 && i > 0 ? Worthwhile : 1))
            {
                (best, bestTime) = (i, time);
            }
        }
        _algorithm = proposals[best].Algorithm;

        void Prefer<T>(int attribute, T value)
            where T : unmanaged =>
            CudaDriver.Check(
                CublasLt.cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, (nuint)sizeof(T)),
                $"{nameof(CublasLt.cublasLtMatmulPreferenceSetAttribute)}({attribute})");
    }

    /// <summary>Milliseconds of one product; infinity where the library refuses it.</summary>
    private float Time(Operands operands, CublasLt.Algorithm algorithm)
    {
        if (Launch(operands, algorithm) != 0)
        {
            return float.PositiveInfinity;
        }
        CudaDriver.Check(CudaDriver.cuEventRecord(_gpu.Start, IntPtr.Zero), nameof(CudaDriver.cuEventRecord));
        for (int i = 0; i < Repeats; i++)
        {
            _ = Launch(operands, algorithm);
        }
        CudaDriver.Check(CudaDriver.cuEventRecord(_gpu.End, IntPtr.Zero), nameof(CudaDriver.cuEventRecord));
        CudaDriver.Check(CudaDriver.cuEventSynchronize(_gpu.End), nameof(CudaDriver.cuEventSynchronize));
        CudaDriver.Check(CudaDriver.cuEventElapsedTime(out float time, _gpu.Start, _gpu.End), nameof(CudaDriver.cuEventElapsedTime));
        return time / Repeats;
    }

    private unsafe int Launch(Operands operands, CublasLt.Algorithm algorithm)
    {
        Point(operands);
        float alpha = 1;
        float beta = _shape.Add ? 1 : 0;
        return CublasLt.cublasLtMatmul(
            _gpu.Handle, _description, &alpha, operands.Weight, _weightLayout, operands.Input, _inputLayout,
            &beta, operands.Added, _resultLayout, operands.Result, _resultLayout, &algorithm, _gpu.Workspace, (nuint)WorkspaceBytes, IntPtr.Zero);
    }

    private void Point(Operands operands)
    {
        if (_shape.Bias)
        {
            Set(CublasLt.BiasPointer, operands.Bias);
        }
        if (_shape.InputType == CublasLt.Float8)
        {
            Set(CublasLt.FirstScalePointer, operands.WeightFactors);
            Set(CublasLt.SecondScalePointer, operands.Factors);
        }
    }

    private unsafe void Set<T>(int attribute, T value)
        where T : unmanaged =>
        CudaDriver.Check(
            CublasLt.cublasLtMatmulDescSetAttribute(_description, attribute, &value, (nuint)sizeof(T)),
            $"{nameof(CublasLt.cublasLtMatmulDescSetAttribute)}({attribute})");

    /// <summary>Addresses.</summary>
    private readonly record struct Operands(long Input, long Weight, long Bias, long Added, long Result, long Factors, long WeightFactors);

    /// <summary>All that the choice of an algorithm depends on.</summary>
    private readonly record struct Shape(
        int Device, long Rows, long Inputs, long Outputs, int InputType, int ResultType, long InputStride, long ResultStride, bool Bias, bool Gelu, bool Add);

    /// <summary>What products on one GPU share. It lives as long as the process.</summary>
    private sealed class Gpu
    {
        private readonly Tensor _workspace;

        public Gpu(int device)
        {
            Context = new CudaContext(device);
            using CudaContext.Entry current = Context.Enter();
            CudaDriver.Check(CublasLt.cublasLtCreate(out IntPtr handle), nameof(CublasLt.cublasLtCreate));
            CudaDriver.Check(CudaDriver.cuEventCreate(out IntPtr start, 0), nameof(CudaDriver.cuEventCreate));
            CudaDriver.Check(CudaDriver.cuEventCreate(out IntPtr end, 0), nameof(CudaDriver.cuEventCreate));
            (Handle, Start, End) = (handle, start, end);
            _workspace = empty([WorkspaceBytes], ScalarType.Byte, new Device(DeviceType.CUDA, device)).DetachFromDisposeScope();
        }

        public CudaContext Context { get; }

        public IntPtr Handle { get; }

        public IntPtr Start { get; }

        public IntPtr End { get; }

        public long Workspace => TensorMemory.Address(_workspace);
    }
}
