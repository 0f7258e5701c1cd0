using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using Dsd.Models.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Optimizers;

/// <summary>Changes weights by their gradients, a piece of them at a time.</summary>
/// <remarks>
/// A LoRA has hundreds of small matrices: pieces of many laid end to end take a dozen operations each where a loop over parameters takes
/// thousands, and temporaries are as long as a piece, not as all weights. Contiguous parameters in float32 are the weights themselves; of others there is
/// a copy in float32, which is rounded to them after each step. Gradients stay where they are and are looked at twice, for their norm and
/// for the step.
/// </remarks>
public abstract class Optimizer : IDisposable
{
    private readonly IReadOnlyList<IReadOnlyList<Parameter>> _replicas;
    private readonly Tensor[] _weights; // one-dimensional, float32
    private readonly bool[] _isCopy;
    private readonly WeightPiece[] _pieces;
    private readonly double _maxGradientNorm;
    private Tensor[]? _flat; // the gradients of a step, from their norm on to the step itself

    private protected Optimizer(
        IEnumerable<Parameter> parameters, OptimizerOptions options, IEnumerable<IEnumerable<Parameter>>? replicas, int alignment = 1)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(options);
        _maxGradientNorm = options.MaxGradientNorm;
        _replicas = [parameters.ToArray(), .. (replicas ?? []).Select(r => r.ToArray())];
        if (First.Count == 0)
        {
            throw new ArgumentException("There is nothing to train: no parameter was given.", nameof(parameters));
        }
        long[] sizes = [.. First.Select(p => p.numel())];
        if (_replicas.FirstOrDefault(r => !r.Select(p => p.numel()).SequenceEqual(sizes)) is { } other)
        {
            throw new ArgumentException(
                $"A replica has {other.Count} parameters of {other.Sum(p => p.numel())} numbers: expected {sizes.Length} of {sizes.Sum()}, one for one.",
                nameof(replicas));
        }
        _pieces = [.. WeightPiece.Of(sizes, options.PieceLength, alignment)];
        _isCopy = [.. First.Select(p => p.dtype != ScalarType.Float32 || !p.is_contiguous())];
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        _weights = [.. First.Select((p, i) => (_isCopy[i] ? p.detach().to(ScalarType.Float32, copy: true).reshape(-1) : p.detach().view(-1))
            .DetachFromDisposeScope())];
        for (int replica = 1; replica < _replicas.Count; replica++)
        {
            WriteReplica(replica);
        }
    }

    /// <summary>Steps taken so far; those that were left out do not count.</summary>
    public long Steps { get; private set; }

    /// <summary>
    /// The weights in float32, one flat tensor for each parameter; a parameter's own memory where it is in float32. They belong to the optimiser.
    /// </summary>
    public IReadOnlyList<Tensor> Weights => _weights;

    /// <summary>How many numbers each vector of the state has: all parameters end to end, each filled up to whole blocks.</summary>
    private protected long StateLength => _pieces[^1].Start + _pieces[^1].Length;

    private protected Device StateDevice => First[0].device;

    /// <summary>The longest of the pieces.</summary>
    private protected long LongestPiece => _pieces.Max(p => p.Length);

    private IReadOnlyList<Parameter> First => _replicas[0];

    /// <summary>
    /// Takes one step from the parameters' gradients and clears them. A parameter without a gradient counts as one of zeros. Where the norm is not a finite
    /// number, nothing is changed, and the step does not count.
    /// </summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <returns>The norm of all gradients before clipping, the mean over replicas.</returns>
    public float Step(double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        float norm = GradientNorm().item<float>();
        if (float.IsFinite(norm))
        {
            Apply(learningRate, norm);
            for (int replica = 1; replica < _replicas.Count; replica++)
            {
                WriteReplica(replica);
            }
        }
        else
        {
            ClearGradients();
        }
        return norm;
    }

    /// <summary>The norm of all gradients, averaged over replicas: a scalar on the first ones' device, for the caller to dispose.</summary>
    internal Tensor GradientNorm()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        if (Flat() is { } flat)
        {
            FreeFlat();
            _flat = flat;
            // Each parameter's gradient where it lies: to join them first would take longer than the sums.
            long[] starts = new long[flat.Length + 1];
            for (int i = 0; i < flat.Length; i++)
            {
                starts[i + 1] = starts[i] + OptimizerKernels.SumsOf(flat[i].numel());
            }
            Tensor sums = empty(starts[^1], ScalarType.Float32, StateDevice);
            for (int i = 0; i < flat.Length; i++)
            {
                OptimizerKernels.Squares(StateDevice, TensorMemory.Address(flat[i]), flat[i].numel(), TensorMemory.Address(sums) + (4 * starts[i]));
            }
            return sums.sum().sqrt_().MoveToOuterDisposeScope();
        }
        Tensor[] norms = new Tensor[_pieces.Length];
        for (int i = 0; i < norms.Length; i++)
        {
            using DisposeScope piece = NewDisposeScope();
            norms[i] = GradientOf(_pieces[i]).norm().MoveToOuterDisposeScope();
        }
        return (norms.Length == 1 ? norms[0] : stack(norms).norm()).MoveToOuterDisposeScope();
    }

    /// <summary>Takes a step with gradients whose norm is known and finite, and clears them. Replicas' weights are then for the caller to write.</summary>
    internal void Apply(double learningRate, float norm)
    {
        using IDisposable noGrad = no_grad();
        Steps++;
        double scale = Math.Min(1, _maxGradientNorm / (norm + 1e-6));
        if (TryLaunch(learningRate, scale))
        {
            ClearGradients();
            return;
        }
        for (int i = 0; i < _pieces.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            WeightPiece piece = _pieces[i];
            Tensor gradient = GradientOf(piece);
            if (scale < 1)
            {
                gradient = gradient.Times(scale);
            }
            Tensor weights = WeightsOf(piece);
            Update(weights, gradient, i, piece.Start, learningRate);
            Put(weights, piece);
        }
        using (NewDisposeScope())
        {
            Finish(learningRate);
            Round();
        }
        ClearGradients();
    }

    /// <summary>Frees all gradients, those of replicas too.</summary>
    internal void ClearGradients()
    {
        FreeFlat();
        foreach (Parameter parameter in _replicas.SelectMany(r => r))
        {
            parameter.grad = null;
        }
    }

    /// <summary>Puts other weights into the parameters, such as a moving average, on all devices. The state stays as it is.</summary>
    /// <param name="weights">As <see cref="Weights"/>, on any device.</param>
    internal void Write(IReadOnlyList<Tensor> weights)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        for (int i = 0; i < _weights.Length; i++)
        {
            _weights[i].copy_(weights[i]);
        }
        Round();
        for (int replica = 1; replica < _replicas.Count; replica++)
        {
            WriteReplica(replica);
        }
    }

    /// <summary>Puts the weights into one replica's parameters, which may be done on a thread of its own.</summary>
    internal void WriteReplica(int replica)
    {
        using IDisposable noGrad = no_grad();
        IReadOnlyList<Parameter> parameters = _replicas[replica];
        foreach (WeightPiece piece in _pieces)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor weights = WeightsOf(piece).to(parameters[0].device);
            long start = 0;
            foreach (WeightSegment segment in piece.Segments)
            {
                Parameter parameter = parameters[segment.Parameter];
                Tensor part = weights.narrow(0, start, segment.Length);
                if (segment.Length == parameter.numel())
                {
                    parameter.copy_(part.view(parameter.shape));
                }
                else
                {
                    parameter.detach().view(-1).narrow(0, segment.Start, segment.Length).copy_(part);
                }
                start += segment.Length + segment.Padding;
            }
        }
    }

    /// <summary>The state to resume from: the weights as <c>weights.0</c> and so on, <c>steps</c>, and what the optimiser keeps besides.</summary>
    /// <returns>Tensors that still belong to the optimiser, but for <c>steps</c>.</returns>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        Dictionary<string, Tensor> state = Kept();
        state.Add("steps", tensor(new[] { Steps }));
        return state;
    }

    /// <summary>Resumes from a state, weights included.</summary>
    /// <exception cref="ArgumentException">A tensor is missing or has another length; nothing is changed then.</exception>
    public void Resume(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Resume(name => state.GetValueOrDefault(name)?.numel(), name => state[name].alias());
    }

    /// <summary>Resumes from a state that is read a tensor at a time: each is disposed when it has been copied.</summary>
    /// <param name="length">How many numbers a tensor has; null where there is none of the name.</param>
    /// <param name="read">Reads it.</param>
    internal void Resume(Func<string, long?> length, Func<string, Tensor> read)
    {
        Dictionary<string, Tensor> own = Kept();
        foreach ((string name, long expected) in own.Select(t => (t.Key, t.Value.numel())).Append(("steps", 1)))
        {
            if (length(name) != expected)
            {
                throw new ArgumentException(
                    $"Optimiser state '{name}': expected {expected} numbers, found {length(name)?.ToString() ?? "none"}. "
                        + "The state belongs to other parameters or another optimiser.",
                    nameof(length));
            }
        }
        using IDisposable noGrad = no_grad();
        foreach ((string name, Tensor tensor) in own)
        {
            using DisposeScope scope = NewDisposeScope();
            tensor.copy_(read(name).view(tensor.shape));
        }
        using DisposeScope last = NewDisposeScope();
        Steps = read("steps").cpu().item<long>();
        Round();
        for (int replica = 1; replica < _replicas.Count; replica++)
        {
            WriteReplica(replica);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the state; the parameters stay the caller's.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            FreeFlat();
            foreach (Tensor tensor in _weights.Concat(Moments().Select(m => m.Tensor)))
            {
                tensor.Dispose();
            }
        }
    }

    /// <summary>Changes weights, in place.</summary>
    /// <param name="weights">[numbers], float32.</param>
    /// <param name="gradient">[numbers], float32, clipped already. It may be the parameter's own and must not be changed.</param>
    /// <param name="piece">Which piece it is, from 0.</param>
    /// <param name="start">Where the piece begins in the vectors of the state.</param>
    /// <param name="learningRate">This step's.</param>
    private protected abstract void Update(Tensor weights, Tensor gradient, int piece, long start, double learningRate);

    /// <summary>What the optimiser keeps between steps, by name; the tensors are its own.</summary>
    private protected abstract IEnumerable<(string Name, Tensor Tensor)> Moments();

    /// <summary>
    /// What does the same as <see cref="Update"/> on a GPU, where <see cref="Finish"/> has nothing to do. Null, the default: there is no such kernel.
    /// </summary>
    private protected virtual KernelStep? Kernel => null;

    /// <summary>Called when all pieces of a step are done.</summary>
    private protected virtual void Finish(double learningRate)
    {
    }

    private protected Tensor NewState(long length, ScalarType type = ScalarType.Float32) =>
        zeros(length, dtype: type, device: StateDevice).DetachFromDisposeScope();

    private Dictionary<string, Tensor> Kept() =>
        _weights.Select((w, i) => ($"weights.{i}", w)).Concat(Moments()).ToDictionary(t => t.Item1, t => t.Item2);

    private void FreeFlat()
    {
        foreach (Tensor tensor in _flat ?? [])
        {
            tensor.Dispose();
        }
        _flat = null;
    }

    /// <summary>The gradients as kernels take them, one for each parameter, for the caller to dispose; null where torch's operations must do.</summary>
    private Tensor[]? Flat()
    {
        if (Kernel is null || _replicas.Count > 1 || _isCopy.Any(c => c) || !OptimizerKernels.Suit(StateDevice))
        {
            return null;
        }
        using DisposeScope scope = NewDisposeScope();
        Tensor[] gradients = new Tensor[First.Count];
        for (int i = 0; i < gradients.Length; i++)
        {
            if (First[i].grad is not { dtype: ScalarType.Float32 } gradient)
            {
                return null;
            }
            gradients[i] = gradient.is_contiguous() ? gradient : gradient.contiguous();
        }
        return [.. gradients.Select(g => g.DetachFromDisposeScope())];
    }

    private bool TryLaunch(double learningRate, double scale)
    {
        if (Kernel is not { } launch || (_flat ?? Flat()) is not { } gradients)
        {
            return false;
        }
        _flat = gradients;
        long[] at = [.. gradients.Select(TensorMemory.Address)];
        long[] weights = [.. _weights.Select(TensorMemory.Address)];
        for (int i = 0; i < _pieces.Length; i++)
        {
            long place = 0;
            foreach (WeightSegment segment in _pieces[i].Segments)
            {
                GradientSpan span = new(
                    weights[segment.Parameter] + (4 * segment.Start), at[segment.Parameter] + (4 * segment.Start), segment.Length, scale);
                launch(span, i, place, _pieces[i].Start + place, learningRate);
                place += segment.Length + segment.Padding;
            }
        }
        return true;
    }

    private Tensor GradientOf(WeightPiece piece)
    {
        Tensor gradient = GradientOf(piece, First);
        for (int replica = 1; replica < _replicas.Count; replica++)
        {
            gradient = gradient.Plus(GradientOf(piece, _replicas[replica]).to(gradient.device));
        }
        return _replicas.Count > 1 ? gradient.Over(_replicas.Count) : gradient;
    }

    // Laid end to end before they are widened: two operations rather than one for each parameter.
    private static Tensor GradientOf(WeightPiece piece, IReadOnlyList<Parameter> parameters) =>
        piece.EndToEnd(i => parameters[i].grad is { } g ? g.reshape(-1) : zeros_like(parameters[i]).reshape(-1)).to(ScalarType.Float32);

    private Tensor WeightsOf(WeightPiece piece) => piece.EndToEnd(i => _weights[i]);

    /// <summary>Brings a piece of weights back to where it was taken from, unless it is that very memory.</summary>
    private void Put(Tensor weights, WeightPiece piece)
    {
        if (piece.IsOne)
        {
            return;
        }
        long start = 0;
        foreach (WeightSegment segment in piece.Segments)
        {
            _weights[segment.Parameter].narrow(0, segment.Start, segment.Length).copy_(weights.narrow(0, start, segment.Length));
            start += segment.Length + segment.Padding;
        }
    }

    /// <summary>Brings weights to those parameters that are not the weights themselves.</summary>
    private void Round()
    {
        for (int i = 0; i < _weights.Length; i++)
        {
            if (_isCopy[i])
            {
                First[i].copy_(_weights[i].view(First[i].shape));
            }
        }
    }

    /// <summary>Changes weights by a kernel.</summary>
    /// <param name="at">Weights and gradient: a part of one parameter.</param>
    /// <param name="piece">Which piece the part belongs to, from 0.</param>
    /// <param name="place">Where in the piece it begins.</param>
    /// <param name="start">Where it begins in the vectors of the state.</param>
    /// <param name="learningRate">This step's.</param>
    private protected delegate void KernelStep(GradientSpan at, int piece, long place, long start, double learningRate);
}
