using Dsd.Lab.Training;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>A conditional transformer over one frame: <c>x_embedder(latents) + c_embedder(reference)</c>, with an adapter.</summary>
internal sealed class StructureNetwork : ReferenceNetwork
{
    private readonly LoraAttachment _adapter;

    private StructureNetwork(FluxModel model, LoraAdapter adapter, bool trainable)
        : base(model) => _adapter = adapter.Attach(model.Transformer, trainable: trainable);

    public override IEnumerable<Parameter> Parameters => _adapter.Parameters.Select(p => p.Parameter);

    /// <summary>A new network, which draws as the teacher does whatever the reference.</summary>
    public static StructureNetwork Create(string modelFolder, Device device, int rank, long seed) =>
        Build(modelFolder, device, model => LoraAdapter.Create(model.Transformer, new LoraOptions { Rank = rank, Seed = seed }), trainable: true);

    /// <summary>A trained network.</summary>
    public static StructureNetwork Load(string modelFolder, Device device, string file) =>
        Build(modelFolder, device, _ => LoraAdapter.Load(file), trainable: false);

    public override Tensor Velocity(Tensor latents, Tensor reference, Tensor given, Tensor text, Tensor pooled, Tensor sigma, float guidance)
    {
        using DisposeScope scope = NewDisposeScope();
        int side = FrameData.Side(Model);
        return Model.Transformer.forward(
            latents,
            where(given, reference, zeros_like(reference)),
            text,
            pooled,
            sigma,
            FrameData.Guidance(Model, latents.shape[0], guidance),
            LatentPacking.ImageIds(side, side, latents.device),
            LatentPacking.TextIds(text.shape[1], latents.device)).MoveToOuterDisposeScope();
    }

    public override void Save(string file)
    {
        using LoraAdapter adapter = _adapter.ToAdapter();
        adapter.Save(file);
    }

    public override void Dispose()
    {
        _adapter.Dispose();
        base.Dispose();
    }

    private static StructureNetwork Build(string modelFolder, Device device, Func<FluxModel, LoraAdapter> adapter, bool trainable)
    {
        FluxModel model = (FluxModel)DiffusionModel.LoadConditional(modelFolder, options: ModelLoading.On(device));
        try
        {
            using LoraAdapter made = adapter(model);
            return new StructureNetwork(model, made, trainable);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
