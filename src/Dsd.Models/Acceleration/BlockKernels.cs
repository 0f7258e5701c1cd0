using Dsd.Models.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>
/// Pointwise work of transformer blocks as CUDA kernels of our own (block_kernels.cu), in bfloat16 and without a graph. Each reads its inputs once and
/// rounds once; torch's operations would pass over memory several times. Where kernels cannot be compiled, torch's operations do the work.
/// </summary>
internal static class BlockKernels
{
    // A thread holds eight numbers of a row, and a block has at most 1024 threads.
    private const long MostWidth = 8192;
    /// <summary>The major number of the least compute capability that has eight-bit products with a factor for each row: Hopper's.</summary>
    public const int Float8Capability = 9;

    private const int Threads = 256;
    private static readonly KernelFile File = new("block_kernels.cu");

    /// <summary>Why there are no kernels; null while there are, or none was asked for.</summary>
    public static string? Unavailable => File.Unavailable;

    /// <summary>Whether the kernels take a tensor [..., width] of a block, and all that goes with it.</summary>
    public static bool Suit(Tensor x) =>
        FastPaths.Allow(FastPath.Kernels) && x.device_type == DeviceType.CUDA && x.dtype == ScalarType.BFloat16 && !is_grad_enabled()
        && x.shape[^1] % 8 == 0 && x.shape[^1] <= MostWidth && Module(x) is not null;

    /// <summary>Whether the kernels take heads of so many channels: threads of one warp share a head, eight channels each.</summary>
    public static bool SuitHeads(long head) => head is 8 or 16 or 32 or 64 or 128 or 256;

    /// <summary>Refuses a GPU that has no eight-bit products with a factor for each row.</summary>
    /// <exception cref="NotSupportedException">Says what is missing.</exception>
    public static void RequireFloat8(Tensor x)
    {
        if (Module(x) is not { } module)
        {
            throw new NotSupportedException($"Eight bits need kernels that are compiled at run time: {Unavailable}.");
        }
        if (CublasLt.Missing() is { } missing)
        {
            throw new NotSupportedException($"Eight bits need cuBLASLt: {missing}.");
        }
        if (module.Capability.Major < Float8Capability)
        {
            throw new NotSupportedException(
                $"Eight bits need a GPU of compute capability {Float8Capability}.0 (Hopper) or newer; this one has "
                    + $"{module.Capability.Major}.{module.Capability.Minor}.");
        }
    }

    /// <summary><c>layer_norm(x) · (1 + scale) + shift</c> of x [batch, tokens, width]; shift and scale are [batch, 1, width].</summary>
    public static Tensor Modulate(Tensor x, Tensor shift, Tensor scale, float epsilon)
    {
        Tensor rows = x.contiguous();
        Tensor y = empty_like(rows);
        long width = x.shape[2];
        Module(x)!.Launch(
            "modulate",
            (x.shape[0] * x.shape[1], 1),
            (int)((width / 8 + 31) / 32 * 32),
            Address(rows), Row(shift), Row(scale), Address(y), width, Stride(shift, scale), x.shape[1], Bits(epsilon));
        return y;
    }

    /// <summary><c>x + gate · y</c> of x and y [batch, tokens, width]; gate is [batch, 1, width].</summary>
    public static Tensor GatedResidual(Tensor x, Tensor gate, Tensor y)
    {
        (Tensor rows, Tensor others) = (x.contiguous(), y.contiguous());
        Tensor result = empty_like(rows);
        long count = x.numel();
        Module(x)!.Launch(
            "gated_residual",
            ((count / 8 + Threads - 1) / Threads, 1),
            Threads,
            Address(rows), Row(gate), Address(others), Address(result), count, x.shape[2], Stride(gate, gate), x.shape[1]);
        return result;
    }

    /// <summary>
    /// Normalises and rotates a stream's queries and keys, and puts them and its values in their places among all tokens.
    /// </summary>
    /// <param name="q">[batch, tokens, width]; rows may lie apart. So are k and v.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="weights">Of the norms of q and k, [head] each, and what they add to the mean square.</param>
    /// <param name="rotary">Of the rotary embedding: [all tokens, 1, head / 2], complex.</param>
    /// <param name="to">Queries, keys and values of all tokens: [batch, all tokens, heads, head], in one piece.</param>
    /// <param name="first">The place of the stream's first token.</param>
    public static void Place(
        Tensor q, Tensor k, Tensor v, (Tensor Q, Tensor K, double Epsilon) weights, Tensor rotary, (Tensor Q, Tensor K, Tensor V) to, long first) =>
        Launch(q, k, v, weights, rotary, to, to.Q.shape[2] * to.Q.shape[3], to.Q.shape[1], (to.Q.shape[2], to.Q.shape[3]), first, parts: 3);

    /// <summary>
    /// Normalises and rotates the queries and keys of all tokens in place: [batch, tokens, heads · head]. Rows may lie apart, with one stride for
    /// both.
    /// </summary>
    public static void Rotate(Tensor q, Tensor k, (Tensor Q, Tensor K, double Epsilon) weights, Tensor rotary, int heads)
    {
        if (q.stride(1) != k.stride(1))
        {
            throw new ArgumentException("Queries and keys must lie alike.", nameof(k));
        }
        Launch(q, k, k, weights, rotary, (q, k, k), q.stride(1), q.shape[1], (heads, q.shape[2] / heads), first: 0, parts: 2);
    }

    /// <summary>As <see cref="Modulate"/>, with the result in eight bits.</summary>
    public static Float8Rows ModulateFloat8(Tensor x, Tensor shift, Tensor scale, float epsilon)
    {
        Tensor rows = x.contiguous();
        (long count, long width) = (x.shape[0] * x.shape[1], x.shape[2]);
        (Tensor y, Tensor factors) = RoomForFloat8(x, count, width);
        Module(x)!.Launch(
            "modulate_float8",
            (count, 1),
            (int)((width / 8 + 31) / 32 * 32),
            Address(rows), Row(shift), Row(scale), Address(y), Address(factors), width, Stride(shift, scale), x.shape[1], Bits(epsilon));
        return new Float8Rows(y, factors);
    }

    /// <summary>Rows in eight bits (e4m3, held in bytes), with a factor for each: of x [rows, channels], or of two tensors side by side.</summary>
    public static Float8Rows ToFloat8(Tensor x, Tensor? beside = null)
    {
        Tensor other = beside ?? x;
        long otherWidth = beside?.shape[1] ?? 0;
        if (x.stride(1) != 1 || other.stride(1) != 1 || (x.shape[1] | otherWidth | x.stride(0) | other.stride(0)) % 8 != 0)
        {
            throw new ArgumentException("Channels must lie side by side and be a multiple of eight.", nameof(x));
        }
        (Tensor y, Tensor factors) = RoomForFloat8(x, x.shape[0], x.shape[1] + otherWidth);
        Module(x)!.Launch(
            "to_float8",
            (x.shape[0], 1),
            2 * Threads,
            Address(x), Address(other), x.stride(0), other.stride(0), x.shape[1], otherWidth, Address(y), Address(factors));
        return new Float8Rows(y, factors);
    }

    /// <summary>The numbers [rows, channels] that rows in eight bits stand for, in bfloat16. Channels are a multiple of eight.</summary>
    public static Tensor FromFloat8(Float8Rows rows)
    {
        Tensor y = empty(rows.Values.shape, ScalarType.BFloat16, rows.Values.device);
        long eighths = rows.Values.shape[1] / 8;
        Module(y)!.Launch(
            "from_float8",
            ((rows.Values.shape[0] * eighths + Threads - 1) / Threads, 1),
            Threads,
            Address(rows.Values), Address(rows.Factors), Address(y), rows.Values.shape[0] * eighths, eighths);
        return y;
    }

    /// <summary>The gradient of x [batch, tokens, width] under <see cref="Modulate"/>, plus what x gets from elsewhere.</summary>
    public static Tensor ModulateGradient(Tensor x, Tensor scale, Tensor gradient, Tensor beside, float epsilon)
    {
        (Tensor rows, Tensor comes, Tensor other) = (x.contiguous(), gradient.contiguous(), beside.contiguous());
        Tensor result = empty_like(rows);
        long width = x.shape[2];
        Module(x)!.Launch(
            "modulate_gradient",
            (x.shape[0] * x.shape[1], 1),
            (int)((width / 8 + 31) / 32 * 32),
            Address(rows), Row(scale), Address(comes), Address(other), Address(result), width, scale.stride(0), x.shape[1], Bits(epsilon));
        return result;
    }

    /// <summary>The way back of <see cref="Place"/> for one stream.</summary>
    /// <param name="gradients">Of queries, keys and values of all tokens: [batch, all tokens, heads, head], in one piece.</param>
    /// <param name="q">The stream's queries before: [batch, tokens, width]; rows may lie apart. So are k and what is written to.</param>
    /// <param name="k">Its keys.</param>
    /// <param name="weights">Of the norms of q and k, [head] each, and what they add to the mean square.</param>
    /// <param name="rotary">[all tokens, 1, head / 2], complex.</param>
    /// <param name="to">Where the gradients of q, k and v go, with one stride.</param>
    /// <param name="first">The place of the stream's first token.</param>
    public static void PlaceGradient(
        (Tensor Q, Tensor K, Tensor V) gradients, Tensor q, Tensor k, (Tensor Q, Tensor K, double Epsilon) weights, Tensor rotary,
        (Tensor Q, Tensor K, Tensor V) to, long first)
    {
        (long batch, long tokens, long heads, long head) = (q.shape[0], q.shape[1], gradients.Q.shape[2], gradients.Q.shape[3]);
        Tensor rotations = rotary.contiguous();
        (Tensor ofQ, Tensor ofK, Tensor ofV) = (gradients.Q.contiguous(), gradients.K.contiguous(), gradients.V.contiguous());
        Module(q)!.Launch(
            "place_heads_gradient",
            ((checked((uint)(batch * tokens * heads * head / 8)) + Threads - 1) / Threads, 3),
            Threads,
            Address(ofQ), Address(ofK), Address(ofV), Address(q), Address(k), RowStride(q), RowStride(k), Address(weights.Q), Address(weights.K),
            Address(rotations), Address(to.Q), Address(to.K), Address(to.V), RowStride(to.Q), batch, tokens, first, gradients.Q.shape[1], heads, head,
            Bits((float)weights.Epsilon));
    }

    /// <summary>Channels [rows, some], and after them the GELU, in its tanh form, of x [rows, width]: [rows, some + width].</summary>
    public static Tensor GeluBeside(Tensor first, Tensor x)
    {
        (Tensor one, Tensor other) = (first.contiguous(), x.contiguous());
        long rows = x.shape[0];
        (long some, long width) = (first.shape[1] / 8, x.shape[1] / 8);
        Tensor y = empty([rows, first.shape[1] + x.shape[1]], x.dtype, x.device);
        Module(x)!.Launch(
            "gelu_beside", ((rows * (some + width) + Threads - 1) / Threads, 1), Threads, Address(one), Address(other), Address(y), rows, some, width);
        return y;
    }

    /// <summary>The gradient of x [rows, width] under GELU in its tanh form. The rows of what comes may lie apart.</summary>
    public static Tensor GeluGradient(Tensor x, Tensor gradient)
    {
        Tensor before = x.contiguous();
        Tensor comes = gradient.stride(1) == 1 && gradient.stride(0) % 8 == 0 ? gradient : gradient.contiguous();
        Tensor result = empty_like(before);
        long eighths = x.shape[1] / 8;
        Module(x)!.Launch(
            "gelu_gradient",
            ((x.shape[0] * eighths + Threads - 1) / Threads, 1),
            Threads,
            Address(before), Address(comes), comes.stride(0), Address(result), x.shape[0], eighths);
        return result;
    }

    private static (Tensor, Tensor) RoomForFloat8(Tensor like, long rows, long width) =>
        (empty([rows, width], ScalarType.Byte, like.device), empty([rows], ScalarType.Float32, like.device));

    private static void Launch(
        Tensor q, Tensor k, Tensor v, (Tensor Q, Tensor K, double Epsilon) weights, Tensor rotary,
        (Tensor Q, Tensor K, Tensor V) to, long toStride, long all, (long Count, long Size) heads, long first, int parts)
    {
        (long batch, long tokens) = (q.shape[0], q.shape[1]);
        Tensor rotations = rotary.contiguous();
        Module(q)!.Launch(
            "place_heads",
            ((checked((uint)(batch * tokens * heads.Count * heads.Size / 8)) + Threads - 1) / Threads, parts),
            Threads,
            Address(q), Address(k), Address(v), RowStride(q), RowStride(k), RowStride(v), Address(weights.Q), Address(weights.K), Address(rotations),
            Address(to.Q), Address(to.K), Address(to.V), toStride, batch, tokens, first, all, heads.Count, heads.Size, Bits((float)weights.Epsilon));
    }

    private static CudaModule? Module(Tensor x) => File.On(x.device_index);

    private static long Address(Tensor tensor) => TensorMemory.Address(tensor);

    private static long Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    /// <summary>The address of [batch, 1, width], whose rows must have their channels side by side.</summary>
    private static long Row(Tensor modulation) => modulation.stride(2) == 1
        ? Address(modulation)
        : throw new ArgumentException("A modulation's channels must lie side by side.", nameof(modulation));

    /// <summary>The distance of two rows, which must be the same for both.</summary>
    private static long Stride(Tensor first, Tensor second) => first.stride(0) == second.stride(0)
        ? first.stride(0)
        : throw new ArgumentException("Shift and scale must be parts of one tensor.", nameof(second));

    /// <summary>The distance of two tokens in [batch, tokens, width], whose batches must follow one another.</summary>
    private static long RowStride(Tensor x) => x.stride(2) == 1 && (x.shape[0] == 1 || x.stride(0) == x.shape[1] * x.stride(1)) && x.stride(1) % 8 == 0
        ? x.stride(1)
        : throw new ArgumentException("Tokens must follow one another, and their channels too.", nameof(x));
}
