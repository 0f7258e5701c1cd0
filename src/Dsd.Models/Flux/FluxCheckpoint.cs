using Dsd.Models.Acceleration;
using Dsd.Models.Residency;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>Loads FLUX transformers: by diffusers' names, or by those of Black Forest Labs' single files.</summary>
public static class FluxCheckpoint
{
    private const string ConditionEmbedder = "c_embedder.";

    /// <summary>A transformer with the weights of a checkpoint.</summary>
    /// <param name="config">The shape that the checkpoint's config tells.</param>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="device">Where the weights shall lie. Null is the CPU.</param>
    /// <param name="dtype">The type that they are cast to. Null is float32.</param>
    /// <exception cref="ArgumentException">The config contradicts itself.</exception>
    /// <exception cref="WeightsException">The weights do not fit the config; lists all that are missing, unexpected or ill-shaped.</exception>
    /// <remarks>
    /// A conditional transformer may be loaded from plain FLUX weights: its <c>c_embedder</c> then starts at zero.
    /// Adapter tensors within the checkpoint (<c>lora_A</c>, <c>lora_B</c>) are left out: adapters come from files of their own.
    /// </remarks>
    public static FluxTransformer Load(FluxConfig config, WeightSource weights, Device? device = null, ScalarType? dtype = null) =>
        Load(config, weights, device, dtype, MemoryMode.Resident);

    /// <summary>The same, with weights where the mode says.</summary>
    /// <exception cref="NotSupportedException">Eight bits are wanted, and the GPU cannot do them.</exception>
    internal static FluxTransformer Load(
        FluxConfig config, WeightSource weights, Device? device, ScalarType? dtype, MemoryMode memory, bool float8 = false, bool trains = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        config.Validate();
        FluxSingleFile? single = FluxSingleFile.Of(weights);
        single?.Expect(config);
        if (single is null)
        {
            ExpectSize(config, weights);
        }
        FluxTransformer transformer = new(config, FluxResidency.PlacesFor(memory, device, float8, trains), dtype);
        try
        {
            transformer.Residency = FluxResidency.Of(transformer, memory, float8);
            Action<string>? filled = float8 ? FluxFloat8.WhenFilled(transformer, memory, trains) : null;
            if (single is null)
            {
                WeightLoader.Load(transformer, weights, IsAdapter, BaseName, filled, optional: IsCondition);
            }
            else
            {
                WeightLoader.LoadPieces(transformer, weights, single.IsForeign, single.Pieces, filled, optional: IsCondition);
            }
            transformer.Residency?.Begin();
            return transformer;
        }
        catch
        {
            transformer.Dispose();
            throw;
        }
    }

    /// <summary>A transformer with random weights, placed and rounded as a checkpoint's would be: for benchmarks.</summary>
    internal static FluxTransformer Random(FluxConfig config, Device? device, ScalarType dtype, MemoryMode memory, bool float8, bool trains)
    {
        FluxTransformer transformer = new(config, FluxResidency.PlacesFor(memory, device, float8, trains), dtype);
        try
        {
            transformer.Residency = FluxResidency.Of(transformer, memory, float8);
            Action<string>? filled = float8 ? FluxFloat8.WhenFilled(transformer, memory, trains) : null;
            random.manual_seed(0);
            if (device is { type: DeviceType.CUDA })
            {
                cuda.manual_seed_all(0);
            }
            using IDisposable noGrad = no_grad();
            foreach ((string name, Parameter parameter) in transformer.named_parameters().ToArray())
            {
                // Small enough that no stream overflows its type over many blocks; weights of norms near one.
                (double mean, double deviation) = parameter.dim() == 1 ? (0.5, 0.1) : (0, 0.5 / Math.Sqrt(parameter.shape[1]));
                using Tensor drawn = empty(parameter.shape, dtype, device).normal_(mean, deviation);
                parameter.copy_(drawn);
                filled?.Invoke(name);
            }
            transformer.Residency?.Begin();
            return transformer;
        }
        catch
        {
            transformer.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The shape that weights by the names of Black Forest Labs' single files tell by themselves; null for weights by other names, whose config
    /// lies beside them.
    /// </summary>
    /// <exception cref="WeightsException">A tensor is missing or has no shape that could be.</exception>
    public static FluxConfig? ConfigOf(WeightSource weights) => FluxSingleFile.Of(weights)?.Config();

    private static bool IsCondition(string name) => name.StartsWith(ConditionEmbedder, StringComparison.Ordinal);

    private static bool IsAdapter(string name) => name.Contains(".lora_", StringComparison.Ordinal);

    /// <summary>A checkpoint saved with adapters in place calls the layers beneath them by a longer name.</summary>
    private static string BaseName(string name) => name.Replace(".base_layer.", ".", StringComparison.Ordinal);

    /// <summary>Compares the sizes that decide over memory with the checkpoint's, before any memory is taken.</summary>
    private static void ExpectSize(FluxConfig config, WeightSource weights)
    {
        Dictionary<string, string> names = weights.Names.Where(n => !IsAdapter(n)).DistinctBy(BaseName).ToDictionary(BaseName);
        void Expect(string name, string reason, params long[] shape) => weights.Expect(names.GetValueOrDefault(name, name), reason, shape);
        Expect("x_embedder.weight", "num_attention_heads · attention_head_dim, in_channels", config.Width, config.InChannels);
        Expect("context_embedder.weight", "num_attention_heads · attention_head_dim, joint_attention_dim", config.Width, config.JointAttentionDim);
        if (config.NumLayers > 0)
        {
            Expect($"transformer_blocks.{config.NumLayers - 1}.attn.to_q.weight", "last of num_layers", config.Width, config.Width);
        }
        if (config.NumSingleLayers > 0)
        {
            Expect($"single_transformer_blocks.{config.NumSingleLayers - 1}.attn.to_q.weight", "last of num_single_layers", config.Width, config.Width);
        }
    }
}
