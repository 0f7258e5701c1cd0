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
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly long[] _sizes;
    private readonly AdamWOptions _options;
    private readonly Tensor _weights;
    private readonly Tensor _mean;
    private readonly Tensor _square;

    /// <summary>An optimiser at step 0.</summary>
    /// <param name="parameters">What is trained, all on one device, at least one.</param>
    /// <param name="options">Settings for the run.</param>
    public AdamW(IEnumerable<Parameter> parameters, AdamWOptions options)
    {
        _parameters = parameters.ToArray();
        _options = options;
        if (_parameters.Count == 0)
        {
            throw new ArgumentException("There is nothing to train: no parameter was given.", nameof(parameters));
        }
        _sizes = _parameters.Select(p => p.numel()).ToArray();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        _weights = cat(_parameters.Select(p => p.detach().reshape(-1).to(ScalarType.Float32)).ToArray()).DetachFromDisposeScope();
        _mean = zeros_like(_weights).DetachFromDisposeScope();
        _square = zeros_like(_weights).DetachFromDisposeScope();
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
        using IDisposable noGrad = no_grad();
        Steps++;
        Tensor gradient = cat(_parameters
            .Select((p, i) => p.grad is { } g ? g.reshape(-1) : zeros(_sizes[i], dtype: p.dtype, device: _weights.device))
            .ToArray())
            .to(ScalarType.Float32); // Laid end to end before they are widened: two operations rather than one for each parameter.
        foreach (Parameter parameter in _parameters)
        {
            parameter.grad = null;
        }
        Tensor norm = gradient.norm();
        gradient.mul_((_options.MaxGradientNorm / (norm + 1e-6)).clamp(max: 1.0));

        _mean.mul_(_options.Beta1).add_(gradient, alpha: 1 - _options.Beta1);
        _square.mul_(_options.Beta2).addcmul_(gradient, gradient, 1 - _options.Beta2);
        double meanCorrection = 1 - Math.Pow(_options.Beta1, Steps);
        double squareCorrection = 1 - Math.Pow(_options.Beta2, Steps);
        Tensor root = (_square.sqrt() / Math.Sqrt(squareCorrection)).add_(_options.Epsilon);
        _weights.mul_(1 - learningRate * _options.WeightDecay).addcdiv_(_mean, root, -learningRate / meanCorrection);
        Write(_weights);
        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>Puts other weights into the parameters, such as a moving average, without changing the optimiser.</summary>
    /// <param name="weights">As long as <see cref="Weights"/>.</param>
    public void Write(Tensor weights)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor[] parts = weights.split(_sizes);
        for (int i = 0; i < parts.Length; i++)
        {
            _parameters[i].copy_(parts[i].view(_parameters[i].shape));
        }
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
                throw new ArgumentException($"Optimiser state '{name}': expected {expected} numbers, found {found?.numel().ToString() ?? "none"}. The state belongs to other parameters.", nameof(state));
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
