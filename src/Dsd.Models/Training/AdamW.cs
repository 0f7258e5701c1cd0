using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>AdamW (Loshchilov and Hutter 2019) over all parameters laid end to end in one tensor.</summary>
/// <remarks>
/// A LoRA has hundreds of small matrices: one long vector takes a dozen operations a step where a loop over parameters takes
/// thousands, the norm of all gradients is one operation, and the state is three tensors that can be saved and resumed.
/// The master weights are 32-bit whatever the parameters are.
/// </remarks>
public sealed class AdamW : IDisposable
{
    private readonly IReadOnlyList<IReadOnlyList<Parameter>> _replicas;
    private readonly long[] _sizes;
    private readonly AdamWOptions _options;
    private readonly Tensor _weights;
    private readonly Tensor _mean;
    private readonly Tensor _square;

    /// <summary>An optimiser at step 0.</summary>
    /// <param name="parameters">What is trained, all on one device, at least one.</param>
    /// <param name="options">Settings for the run.</param>
    /// <param name="replicas">
    /// The same parameters on other devices, each list in the same order: gradients are averaged over all, and all get the same weights,
    /// the first ones' at once.
    /// </param>
    /// <exception cref="ArgumentException">There is no parameter, or a replica has others.</exception>
    public AdamW(IEnumerable<Parameter> parameters, AdamWOptions options, IEnumerable<IEnumerable<Parameter>>? replicas = null)
    {
        _replicas = [parameters.ToArray(), .. (replicas ?? []).Select(r => r.ToArray())];
        _options = options;
        IReadOnlyList<Parameter> first = _replicas[0];
        if (first.Count == 0)
        {
            throw new ArgumentException("There is nothing to train: no parameter was given.", nameof(parameters));
        }
        _sizes = first.Select(p => p.numel()).ToArray();
        if (_replicas.FirstOrDefault(r => !r.Select(p => p.numel()).SequenceEqual(_sizes)) is { } other)
        {
            throw new ArgumentException(
                $"A replica has {other.Count} parameters of {other.Sum(p => p.numel())} numbers: expected {_sizes.Length} of {_sizes.Sum()}, one for one.",
                nameof(replicas));
        }
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        _weights = cat(first.Select(p => p.detach().reshape(-1).to(ScalarType.Float32)).ToArray()).DetachFromDisposeScope();
        _mean = zeros_like(_weights).DetachFromDisposeScope();
        _square = zeros_like(_weights).DetachFromDisposeScope();
        for (int replica = 1; replica < _replicas.Count; replica++)
        {
            WriteReplica(replica, _weights);
        }
    }

    /// <summary>Steps taken so far.</summary>
    public long Steps { get; private set; }

    /// <summary>The 32-bit weights of all parameters, end to end.</summary>
    public Tensor Weights => _weights;

    /// <summary>Takes one step from the parameters' gradients and clears them. A parameter without a gradient counts as one of zeros.</summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <returns>The norm of all gradients before clipping: a scalar on the device, for the caller to dispose.</returns>
    public Tensor Step(double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor norm = Step(learningRate, [.. Enumerable.Range(1, _replicas.Count - 1).Select(TakeGradient)]);
        for (int replica = 1; replica < _replicas.Count; replica++)
        {
            WriteReplica(replica, _weights);
        }
        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>Takes one step with the gradients that <see cref="TakeGradient"/> gave for the other replicas, whose weights the caller then writes.</summary>
    internal Tensor Step(double learningRate, IReadOnlyList<Tensor> others)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Steps++;
        Tensor gradient = TakeGradient(0).to(ScalarType.Float32);
        foreach (Tensor other in others)
        {
            gradient.add_(other.to(gradient.device));
        }
        if (others.Count > 0)
        {
            gradient.div_(_replicas.Count);
        }
        Tensor norm = gradient.norm();
        gradient.mul_((_options.MaxGradientNorm / (norm + 1e-6)).clamp(max: 1.0));

        _mean.mul_(_options.Beta1).add_(gradient, alpha: 1 - _options.Beta1);
        _square.mul_(_options.Beta2).addcmul_(gradient, gradient, 1 - _options.Beta2);
        double meanCorrection = 1 - Math.Pow(_options.Beta1, Steps);
        double squareCorrection = 1 - Math.Pow(_options.Beta2, Steps);
        Tensor root = (_square.sqrt() / Math.Sqrt(squareCorrection)).add_(_options.Epsilon);
        _weights.mul_(1 - learningRate * _options.WeightDecay).addcdiv_(_mean, root, -learningRate / meanCorrection);
        WriteReplica(0, _weights);
        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>Puts other weights into the parameters, such as a moving average, without changing the optimiser.</summary>
    /// <param name="weights">As long as <see cref="Weights"/>.</param>
    public void Write(Tensor weights)
    {
        for (int replica = 0; replica < _replicas.Count; replica++)
        {
            WriteReplica(replica, weights);
        }
    }

    /// <summary>Puts weights into one replica's parameters, which may be done on a thread of its own.</summary>
    internal void WriteReplica(int replica, Tensor weights)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        IReadOnlyList<Parameter> parameters = _replicas[replica];
        Tensor[] parts = weights.to(parameters[0].device).split(_sizes);
        for (int i = 0; i < parts.Length; i++)
        {
            parameters[i].copy_(parts[i].view(parameters[i].shape));
        }
    }

    /// <summary>All gradients of one replica end to end, in the parameters' type, for the caller to dispose; they are cleared.</summary>
    internal Tensor TakeGradient(int replica)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        // Laid end to end before they are widened: two operations rather than one for each parameter.
        Tensor gradient = cat(
            _replicas[replica].Select((p, i) => p.grad is { } g ? g.reshape(-1) : zeros(_sizes[i], dtype: p.dtype, device: p.device)).ToArray());
        foreach (Parameter parameter in _replicas[replica])
        {
            parameter.grad = null;
        }
        return gradient.MoveToOuterDisposeScope();
    }

    /// <summary>The state to resume from: <c>weights</c>, <c>mean</c>, <c>square</c> (32-bit, one-dimensional) and <c>steps</c>.</summary>
    /// <returns>Tensors that still belong to the optimiser, but for <c>steps</c>.</returns>
    public IReadOnlyDictionary<string, Tensor> State() => new Dictionary<string, Tensor>
    {
        ["weights"] = _weights,
        ["mean"] = _mean,
        ["square"] = _square,
        ["steps"] = tensor(new[] { Steps }),
    };

    /// <summary>Resumes from a state, weights included.</summary>
    /// <exception cref="ArgumentException">A tensor is missing or has another length; nothing is changed then.</exception>
    public void Resume(IReadOnlyDictionary<string, Tensor> state)
    {
        foreach (string name in new[] { "weights", "mean", "square", "steps" })
        {
            long expected = name == "steps" ? 1 : _weights.numel();
            if (!state.TryGetValue(name, out Tensor? found) || found.numel() != expected)
            {
                throw new ArgumentException(
                    $"Optimiser state '{name}': expected {expected} numbers, found {found?.numel().ToString() ?? "none"}. "
                        + "The state belongs to other parameters.",
                    nameof(state));
            }
        }
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        _weights.copy_(state["weights"]);
        _mean.copy_(state["mean"]);
        _square.copy_(state["square"]);
        Steps = state["steps"].cpu().item<long>();
        Write(_weights);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weights.Dispose();
        _mean.Dispose();
        _square.Dispose();
    }
}
