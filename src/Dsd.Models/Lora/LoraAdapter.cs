using Dsd.Models.Families;
using Dsd.Models.Layers;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>
/// A low-rank adapter of a denoising network as data: two factors for each adapted linear layer, and layers that it holds whole,
/// such as DSD's <c>c_embedder</c>. It may have a part for CLIP's text encoder too. Nothing in it changes; it owns its tensors, which lie on the CPU.
/// </summary>
public sealed class LoraAdapter : IDisposable
{
    private const string Condition = LoraLayers.Condition;
    private readonly SortedDictionary<string, LoraFactors> _factors;
    private readonly SortedDictionary<string, Tensor> _whole;

    /// <summary>An adapter of tensors that the caller has made, such as by a training of its own. It takes them over.</summary>
    /// <param name="source">Where they came from, for messages.</param>
    /// <param name="factors">
    /// The factors by module name, such as <c>transformer_blocks.0.attn.to_q</c>: on the CPU, detached from any graph and from any dispose scope.
    /// </param>
    /// <param name="whole">Whole tensors by parameter name, such as <c>c_embedder.weight</c>, likewise. Null is none.</param>
    /// <exception cref="ArgumentException">The two factors of a layer are no matrices of one rank.</exception>
    public LoraAdapter(string source, IReadOnlyDictionary<string, LoraFactors> factors, IReadOnlyDictionary<string, Tensor>? whole = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        ArgumentNullException.ThrowIfNull(factors);
        foreach ((string module, LoraFactors pair) in factors)
        {
            (long[] a, long[] b) = (pair.A.shape, pair.B.shape);
            if (a.Length != 2 || b.Length != 2 || a[0] != b[1])
            {
                throw new ArgumentException(
                    $"Factors of {module} must be A [rank, inputs] and B [outputs, rank], but are [{string.Join(", ", a)}] and [{string.Join(", ", b)}].",
                    nameof(factors));
            }
        }
        Source = source;
        _factors = new(factors.ToDictionary(), StringComparer.Ordinal);
        _whole = new(whole?.ToDictionary() ?? [], StringComparer.Ordinal);
    }

    /// <summary>The file that it came from, or a word for where else; for messages.</summary>
    public string Source { get; }

    /// <summary>The factors by module name (<c>transformer_blocks.0.attn.to_q</c>), in ordinal order.</summary>
    public IReadOnlyDictionary<string, LoraFactors> Factors => _factors;

    /// <summary>Whole tensors by parameter name (<c>c_embedder.weight</c>), in ordinal order. They take the place of the transformer's own.</summary>
    public IReadOnlyDictionary<string, Tensor> Whole => _whole;

    /// <summary>
    /// The factors for CLIP's text encoder by module name (<c>encoder.layers.0.self_attn.q_proj</c>), in ordinal order; empty unless the file has them and
    /// they were asked for.
    /// They are laid over a <see cref="ClipTextModel"/>, apart from the transformer's.
    /// </summary>
    public IReadOnlyDictionary<string, LoraFactors> ClipFactors
    {
        get;
        internal init => field = new SortedDictionary<string, LoraFactors>(value.ToDictionary(), StringComparer.Ordinal);
    } = new SortedDictionary<string, LoraFactors>();

    /// <summary>What of the file was left out or passed over, in sentences; empty for most.</summary>
    public IReadOnlyList<string> Remarks { get; internal init; } = [];

    /// <summary>Whether it holds or adapts a <c>c_embedder</c>, and so needs a conditional transformer.</summary>
    public bool HasCondition => _whole.ContainsKey(Condition + ".weight") || _factors.ContainsKey(Condition);

    /// <summary>Reads an adapter file of diffusers, PEFT, Black Forest Labs' names, ComfyUI or kohya.</summary>
    /// <param name="file">A safetensors file with keys such as <c>transformer.MODULE.lora_A.weight</c> and <c>.lora_B.weight</c>; keys that no adapter has
    /// are whole tensors.
    /// Alpha comes from the metadata (<c>lora_adapter_metadata</c>), from the <c>adapter_config.json</c> beside an <c>adapter_model.safetensors</c>, or
    /// from scalars
    /// <c>MODULE.alpha</c>; without any of them it is the rank.</param>
    /// <param name="textEncoders">What becomes of a part for text encoders. Default: such a file is refused.</param>
    /// <exception cref="WeightsException">A factor lacks its partner, shapes contradict each other or the metadata, numbers are not finite, or there is
    /// something in the file or
    /// its config that cannot be applied.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LoraAdapter Load(string file, LoraTextEncoders textEncoders = LoraTextEncoders.Refuse)
    {
        using SafetensorsFile opened = SafetensorsFile.Open(file);
        return LoraFile.Load(opened, textEncoders);
    }

    /// <summary>Reads the bytes of an adapter file, which are in memory, as <see cref="Load(string, LoraTextEncoders)"/> reads a file.</summary>
    /// <param name="file">
    /// The bytes, which stay the caller's: the adapter has copies. No config can lie beside them; what stands in their metadata counts.
    /// </param>
    /// <param name="source">Where they came from: <see cref="Source"/>, which messages say in place of a file.</param>
    /// <param name="textEncoders">What becomes of a part for text encoders. Default: such a file is refused.</param>
    /// <exception cref="WeightsException">There is something in the bytes that cannot be applied, as in a file.</exception>
    public static LoraAdapter Load(ReadOnlyMemory<byte> file, string source, LoraTextEncoders textEncoders = LoraTextEncoders.Refuse)
    {
        using SafetensorsFile opened = SafetensorsFile.Open(file, source);
        return LoraFile.Load(opened, textEncoders);
    }

    /// <summary>Writes the adapter in a layout that <see cref="Load(string, LoraTextEncoders)"/> reads, for diffusers and PEFT or for ComfyUI.</summary>
    /// <param name="file">The file, which is replaced if it is there.</param>
    /// <param name="type">The type that tensors are stored in, such as bfloat16 for half the size. Null keeps each tensor's own.</param>
    /// <param name="names">Whose names. Default diffusers'.</param>
    /// <exception cref="IOException">The folder cannot be written; no half of a file stays behind.</exception>
    /// <exception cref="NotSupportedException">ComfyUI's names are asked for, and no layer of the adapter has one.</exception>
    public void Save(string file, ScalarType? type = null, LoraNames names = LoraNames.Diffusers) => LoraFile.Save(this, file, type, names);

    /// <summary>Writes what the other form writes to a stream, such as one over memory.</summary>
    /// <param name="stream">Where to write; it stays open.</param>
    /// <param name="type">The type that tensors are stored in. Null keeps each tensor's own.</param>
    /// <param name="names">Whose names. Default diffusers'.</param>
    /// <exception cref="NotSupportedException">ComfyUI's names are asked for, and no layer of the adapter has one.</exception>
    public void Save(Stream stream, ScalarType? type = null, LoraNames names = LoraNames.Diffusers) => LoraFile.Save(this, stream, type, names);

    /// <summary>A new adapter that changes nothing yet: first factors normal with deviation 1 / rank, second factors zero.</summary>
    /// <param name="network">The transformer whose layers it shall fit.</param>
    /// <param name="options">Which layers, and the rank.</param>
    /// <exception cref="ArgumentException">A target or pattern matches no linear layer.</exception>
    public static LoraAdapter Create(DenoisingNetwork network, LoraOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        return LoraLayers.Create(
            network, LoraLayers.Of([.. network.Linears().Keys], options, network.AdapterTargets), options.Condition == ConditionTraining.Whole, options.Seed);
    }

    /// <summary>Lays the adapter over a transformer's layers. Several may lie over one transformer, but only one with whole layers.</summary>
    /// <param name="network">The transformer; conditional where the adapter has a <c>c_embedder</c>. Its own weights stay as they are.</param>
    /// <param name="scale">Strength of the low-rank part, times alpha / rank: 1 is as trained. Whole layers know no scale.</param>
    /// <param name="trainable">Whether the adapter shall learn: its tensors then are float32 and need gradients, and the transformer's own no longer
    /// do.</param>
    /// <returns>The adapter in place. Disposing it takes it off again.</returns>
    /// <exception cref="WeightsException">Lists the layers that the transformer lacks, and those of another shape.</exception>
    public LoraAttachment Attach(DenoisingNetwork network, float scale = 1, bool trainable = false)
    {
        ArgumentNullException.ThrowIfNull(network);
        IReadOnlyDictionary<string, AdaptableLinear> linears = network.Linears();
        CheckFit(linears, scale);
        if (!trainable)
        {
            RequireFit(network, scale);
        }
        return new LoraAttachment(this, network, linears, scale, trainable);
    }

    /// <summary>Lays the adapter over a transformer's layers to learn, as the other form does, with a dropout of its inputs.</summary>
    internal LoraAttachment AttachToTrain(DenoisingNetwork network, LoraDropout? dropout)
    {
        IReadOnlyDictionary<string, AdaptableLinear> linears = network.Linears();
        CheckFit(linears, scale: 1);
        return new LoraAttachment(this, network, linears, scale: 1, trainable: true, dropout);
    }

    /// <summary>Lays the adapter's part for CLIP over its text encoder. Several may lie over one encoder.</summary>
    /// <param name="clip">The text encoder. Its own weights stay as they are.</param>
    /// <param name="scale">Strength, times alpha / rank: 1 is as trained.</param>
    /// <returns>What takes the part off again when it is disposed. Attaching and disposing must not run beside a forward pass.</returns>
    /// <exception cref="WeightsException">Lists the layers that the encoder lacks, and those of another shape.</exception>
    public IDisposable Attach(ClipTextModel clip, float scale = 1)
    {
        ArgumentNullException.ThrowIfNull(clip);
        RequireFit(clip, scale);
        return new ClipAttachment(this, clip, scale);
    }

    /// <summary>Refuses a transformer that the adapter does not fit, as <see cref="Attach(DenoisingNetwork, float, bool)"/> would.</summary>
    internal void RequireFit(DenoisingNetwork network, float scale)
    {
        CheckFit(network.Linears(), scale);
        RequireRange(_factors, scale, network.DType);
        foreach ((string name, Tensor tensor) in _whole)
        {
            RequireRange(name, tensor, network.DType);
        }
    }

    /// <summary>Refuses a text encoder that the adapter's part for it does not fit.</summary>
    internal void RequireFit(ClipTextModel? clip, float scale)
    {
        RequireStrength(scale);
        if (clip is null)
        {
            ThrowIfAny([.. ClipFactors.Keys.Select(m => $"{m}: the model has no text encoder of CLIP")], "the model", ClipFactors.Count);
            return;
        }
        Dictionary<string, TextLinear> linears = clip.Linears();
        ThrowIfAny(Misfits(ClipFactors, m => linears.GetValueOrDefault(m)?.Weight.shape, "CLIP's text encoder"), "CLIP's text encoder", ClipFactors.Count);
        RequireRange(ClipFactors, scale, clip.DType);
    }

    /// <summary>Adds the adapter to a transformer's own weights, computed in float32 and cast back. All weights change, or none.</summary>
    /// <param name="network">The transformer; conditional where the adapter has a <c>c_embedder</c>.</param>
    /// <param name="scale">Strength of the low-rank part, times alpha / rank: 1 is as trained.</param>
    /// <exception cref="WeightsException">The adapter does not fit, or a merged weight would not be finite.</exception>
    /// <exception cref="InvalidOperationException">The transformer's weights are in eight bits.</exception>
    public void Merge(DenoisingNetwork network, float scale = 1)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (network.IsFloat8)
        {
            throw new InvalidOperationException("Weights in eight bits take no merged adapter: merge before they are rounded, or attach the adapter.");
        }
        IReadOnlyDictionary<string, AdaptableLinear> linears = network.Linears();
        CheckFit(linears, scale);
        using IDisposable noGrad = no_grad();
        // Computed twice rather than kept: a second copy of the weights would not fit beside a large model.
        foreach (bool write in new[] { false, true })
        {
            foreach ((string name, Tensor own) in Touched(linears))
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor merged = Merged(name, own, scale).to(own.dtype);
                RequireFinite(name, merged);
                if (write)
                {
                    own.copy_(merged);
                }
            }
        }
    }

    /// <summary>Frees the tensors. Attachments made from the adapter have their own and stay.</summary>
    public void Dispose()
    {
        foreach (LoraFactors factors in _factors.Values.Concat(ClipFactors.Values))
        {
            factors.A.Dispose();
            factors.B.Dispose();
        }
        foreach (Tensor tensor in _whole.Values)
        {
            tensor.Dispose();
        }
    }

    /// <summary>A module's name and what is left of a parameter's name: (<c>c_embedder</c>, <c>weight</c>).</summary>
    internal static (string Module, string Field) Split(string parameter)
    {
        int dot = parameter.LastIndexOf('.');
        return dot < 0 ? ("", parameter) : (parameter[..dot], parameter[(dot + 1)..]);
    }

    internal static Tensor Detached(Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        return tensor.detach().to(CPU, copy: true).DetachFromDisposeScope();
    }

    private IEnumerable<(string Name, Tensor Own)> Touched(IReadOnlyDictionary<string, AdaptableLinear> linears)
    {
        foreach ((string module, _) in _factors)
        {
            yield return ($"{module}.weight", linears[module].Weight);
        }
        foreach ((string name, _) in _whole)
        {
            (string module, string field) = Split(name);
            if (field == "bias" || !_factors.ContainsKey(module))
            {
                yield return (name, field == "bias" ? linears[module].Bias : linears[module].Weight);
            }
        }
    }

    private void CheckFit(IReadOnlyDictionary<string, AdaptableLinear> linears, float scale)
    {
        RequireStrength(scale);
        List<string> problems = Misfits(_factors, m => linears.GetValueOrDefault(m)?.Weight.shape, "the transformer");
        foreach ((string name, Tensor tensor) in _whole)
        {
            (string module, string field) = Split(name);
            if (!linears.TryGetValue(module, out AdaptableLinear? linear) || field is not ("weight" or "bias"))
            {
                problems.Add(module == "c_embedder"
                    ? $"{name}: the transformer takes no condition; build it with Conditional = true"
                    : $"{name}: the transformer has no linear layer with such a tensor");
            }
            else if ((field == "bias" ? linear.Bias : linear.Weight) is { } own && !own.shape.SequenceEqual(tensor.shape))
            {
                problems.Add($"{name}: the transformer's is [{string.Join(", ", own.shape)}], the adapter's [{string.Join(", ", tensor.shape)}]");
            }
        }
        ThrowIfAny(problems, "the transformer", _factors.Count + _whole.Count);
    }

    private static void RequireStrength(float scale)
    {
        if (!float.IsFinite(scale))
        {
            throw new ArgumentOutOfRangeException(nameof(scale), scale, $"The scale of an adapter must be a finite number, but is {scale}.");
        }
    }

    private static List<string> Misfits(IReadOnlyDictionary<string, LoraFactors> factors, Func<string, long[]?> shapeOf, string network)
    {
        List<string> problems = [];
        foreach ((string module, LoraFactors pair) in factors)
        {
            long[] shape = [pair.B.shape[0], pair.A.shape[1]];
            if (shapeOf(module) is not { } own)
            {
                problems.Add($"{module}: {network} has no such linear layer");
            }
            else if (!own.SequenceEqual(shape))
            {
                problems.Add($"{module}: the layer is [{string.Join(", ", own)}], B·A is [{string.Join(", ", shape)}]");
            }
        }
        return problems;
    }

    private void ThrowIfAny(List<string> problems, string network, int places)
    {
        if (problems.Count > 0)
        {
            throw new WeightsException(
                Source,
                $"Adapter '{Source}' does not fit {network} in {problems.Count} of {places} places: "
                    + $"{WeightsException.Some(problems, "; ")}. Use it with the model that it was trained for.");
        }
    }

    /// <summary>Refuses numbers that the network's type does not hold: in float16, finite ones become infinite.</summary>
    private void RequireRange(IReadOnlyDictionary<string, LoraFactors> factors, float scale, ScalarType type)
    {
        foreach ((string module, LoraFactors pair) in factors)
        {
            if (!float.IsFinite(scale * pair.Scale))
            {
                throw new WeightsException(Source, $"a finite strength for {module}", $"{scale} times alpha / rank {pair.Scale}");
            }
            RequireRange($"{module}.lora_A", pair.A, type);
            RequireRange($"{module}.lora_B", pair.B, type);
        }
    }

    private void RequireRange(string name, Tensor tensor, ScalarType type)
    {
        if (type == tensor.dtype || type == ScalarType.Float32)
        {
            return;
        }
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        if (!tensor.to(type).isfinite().all().item<bool>())
        {
            throw new WeightsException(
                Source,
                $"numbers in {name} that {type} holds, as the model has it",
                "larger ones. Use the model in another type, such as BFloat16 or Float32");
        }
    }

    /// <summary>A touched parameter with the adapter merged, in float32.</summary>
    private Tensor Merged(string name, Tensor own, float scale)
    {
        Tensor wide = own.detach().to(ScalarType.Float32, copy: true);
        if (_whole.TryGetValue(name, out Tensor? whole))
        {
            wide.copy_(whole);
        }
        (string module, string field) = Split(name);
        if (field == "weight" && _factors.TryGetValue(module, out LoraFactors? factors))
        {
            factors.AddTo(wide, scale);
        }
        return wide;
    }

    private void RequireFinite(string name, Tensor merged)
    {
        using Tensor finite = merged.isfinite().all();
        if (!finite.item<bool>())
        {
            throw new WeightsException(Source, $"finite numbers in {name} once the adapter is merged", "NaN or infinity; nothing was changed");
        }
    }
}
