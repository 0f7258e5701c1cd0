using Dsd.Lab.Training;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>The plain transformer with an adapter, whose text is followed by tokens that a small encoder makes of the reference.</summary>
internal sealed class ImageEmbeddingNetwork : ReferenceNetwork
{
    private const string EncoderPrefix = "encoder.";
    private const string AdapterPrefix = "transformer.";
    private readonly LoraAttachment _adapter;
    private readonly ImageEncoder _encoder;
    private readonly Tensor _silence;

    private ImageEmbeddingNetwork(FluxModel model, LoraAdapter adapter, ImageEncoder encoder, bool trainable)
        : base(model)
    {
        _adapter = adapter.Attach(model.Transformer, trainable: trainable);
        _encoder = encoder;
        using DisposeScope scope = NewDisposeScope();
        Tensor empty = model.Text.Encode([""]).Text.to(ScalarType.Float32);
        _silence = empty.narrow(1, empty.shape[1] - ImageEncoder.Tokens, ImageEncoder.Tokens).clone().DetachFromDisposeScope();
    }

    public override IEnumerable<Parameter> Parameters => _adapter.Parameters.Select(p => p.Parameter).Concat(_encoder.parameters());

    /// <summary>A new network, which draws as the teacher does from a text with more padding.</summary>
    public static ImageEmbeddingNetwork Create(string modelFolder, Device device, int rank, long seed) => Build(
        modelFolder,
        device,
        seed,
        (model, _) => LoraAdapter.Create(model.Transformer, new LoraOptions { Rank = rank, Seed = seed, Condition = ConditionTraining.Frozen }),
        trainable: true);

    /// <summary>A trained network.</summary>
    public static ImageEmbeddingNetwork Load(string modelFolder, Device device, string file) => Build(
        modelFolder,
        device,
        seed: 0,
        (_, encoder) =>
        {
            using WeightSource source = WeightSource.Open(file);
            WeightLoader.Load(encoder, source, name => !name.StartsWith(EncoderPrefix, StringComparison.Ordinal), name => name[EncoderPrefix.Length..]);
            return Adapter(source);
        },
        trainable: false);

    /// <summary>The reference's tokens [batch, tokens, T5 channels].</summary>
    /// <remarks>
    /// What the encoder says is added to T5's output for padding, of which every prompt has some: an encoder that says nothing yet, and a
    /// reference that is not given, leave the transformer what it knows.
    /// </remarks>
    public Tensor Tokens(Tensor reference, Tensor given)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor said = _encoder.forward(reference);
        return _silence.Plus(where(given, said, zeros_like(said))).MoveToOuterDisposeScope();
    }

    public override Tensor Velocity(Tensor latents, Tensor reference, Tensor given, Tensor text, Tensor pooled, Tensor sigma, float guidance)
    {
        using DisposeScope scope = NewDisposeScope();
        int side = FrameData.Side(Model);
        Tensor prompt = cat([text.to(ScalarType.Float32), Tokens(reference, given)], dim: 1); // [batch, text + tokens, T5 channels]
        return Model.Transformer.forward(
            latents,
            null,
            prompt,
            pooled,
            sigma,
            FrameData.Guidance(Model, latents.shape[0], guidance),
            LatentPacking.ImageIds(side, side, latents.device),
            LatentPacking.TextIds(prompt.shape[1], latents.device)).MoveToOuterDisposeScope();
    }

    public override void Save(string file)
    {
        using LoraAdapter adapter = _adapter.ToAdapter();
        SortedDictionary<string, Tensor> tensors = new(StringComparer.Ordinal);
        foreach ((string module, LoraFactors factors) in adapter.Factors)
        {
            tensors.Add($"{AdapterPrefix}{module}.lora_A.weight", factors.A);
            tensors.Add($"{AdapterPrefix}{module}.lora_B.weight", factors.B);
        }
        foreach ((string name, Parameter parameter) in _encoder.named_parameters())
        {
            tensors.Add(EncoderPrefix + name, parameter);
        }
        SafetensorsWriter.Write(file, tensors);
    }

    public override void Dispose()
    {
        _adapter.Dispose();
        _encoder.Dispose();
        _silence.Dispose();
        base.Dispose();
    }

    private static ImageEmbeddingNetwork Build(string modelFolder, Device device, long seed, Func<FluxModel, ImageEncoder, LoraAdapter> adapter, bool trainable)
    {
        FluxModel model = (FluxModel)DiffusionModel.Load(modelFolder, ModelLoading.On(device));
        ImageEncoder? encoder = null;
        try
        {
            encoder = new ImageEncoder(model.Transformer.Config.InChannels, model.Transformer.Config.JointAttentionDim, device, seed);
            using LoraAdapter made = adapter(model, encoder);
            return new ImageEmbeddingNetwork(model, made, encoder, trainable);
        }
        catch
        {
            encoder?.Dispose();
            model.Dispose();
            throw;
        }
    }

    private static LoraAdapter Adapter(WeightSource source)
    {
        const string SuffixA = ".lora_A.weight";
        Dictionary<string, LoraFactors> factors = [];
        foreach (string name in source.Names.Where(n => n.StartsWith(AdapterPrefix, StringComparison.Ordinal) && n.EndsWith(SuffixA, StringComparison.Ordinal)))
        {
            string module = name[AdapterPrefix.Length..^SuffixA.Length];
            string other = $"{AdapterPrefix}{module}.lora_B.weight";
            (TensorEntry a, TensorEntry b) = (source.Entry(name), source.Entry(other));
            if (a.Shape.Length != 2 || b.Shape.Length != 2 || a.Shape[0] != b.Shape[1])
            {
                throw new WeightsException(source.Path, $"factors A [rank, inputs] and B [outputs, rank] for {module}", $"A {a} and B {b}");
            }
            factors.Add(module, new LoraFactors(source.Read(name).DetachFromDisposeScope(), source.Read(other).DetachFromDisposeScope(), a.Shape[0]));
        }
        return factors.Count > 0
            ? new LoraAdapter(source.Path, factors)
            : throw new WeightsException(source.Path, $"tensors '{AdapterPrefix}…{SuffixA}' of an adapter", "none");
    }
}
