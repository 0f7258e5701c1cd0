using Dsd.Models.Flux;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Families;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Flux;

/// <summary>FLUX as ONNX.</summary>
public sealed class FluxOnnx : OnnxFamily
{
    /// <inheritdoc/>
    public override string Name => "flux";

    /// <inheritdoc/>
    public override ExportPlan Plan(ModelFolder model, OnnxExportOptions options, bool bringsCondition)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        FluxParts parts = FluxParts.Read(model, options.ReleaseFolder, bringsCondition);
        // An adapter may bring a c_embedder to a model that has none, as it may when it is merged.
        bool conditionIsNew = options.AdapterInputs && !parts.Flux.Conditional;
        FluxConfig config = parts.Flux with { Conditional = parts.Flux.Conditional || conditionIsNew };
        return new ExportPlan
        {
            Conditional = config.Conditional,
            ConditionFromAdapters = conditionIsNew,
            TakesAdapters = options.AdapterInputs,
            Guidance = parts.Flux.GuidanceEmbeds,
            Network = Transformer(
                parts.TransformerFolder, config, options, FluxModulationInputs.CountOf(config, options.MostModulationWeights),
                conditionIsNew ? ["c_embedder.weight", "c_embedder.bias"] : []),
            TextEncoders =
            [
                Clip(model.ComponentFolder("text_encoder"), parts.Clip, options),
                new ExportedNetwork(
                    model.ComponentFolder("text_encoder_2"),
                    new ExportedModel("text_encoder_2", weights => T5EncoderExport.Build(parts.T5, weights, GraphFormat.OfWideText(options))))
                {
                    Belongs = T5EncoderExport.Belongs,
                },
            ],
            Copied = ["tokenizer", "tokenizer_2", "scheduler"],
            Vae = parts.Vae,
        };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ExportedNetwork> Adaptable(OnnxModelFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ModelFolder configs = ModelFolder.OpenParts(folder.Path);
        OnnxExportOptions options = new() { Precision = folder.Precision, Target = folder.Graphs, AdapterInputs = folder.TakesAdapters };
        FluxConfig config = configs.ReadConfig<FluxConfig>("transformer");
        config.Validate();
        return
        [
            Transformer(folder.Folder("transformer"), config, options, FluxModulationInputs.CountIn(folder)),
            Clip(folder.Folder("text_encoder"), configs.ReadConfig<ClipTextConfig>("text_encoder"), options),
        ];
    }

    /// <inheritdoc/>
    public override PromptInputs Open(OnnxModelFolder folder, OnnxSessions sessions) => new FluxPromptInputs(folder, sessions);

    private static ExportedNetwork Transformer(string folder, FluxConfig config, OnnxExportOptions options, int modulations, params string[] zeros) => new(
        folder,
        [
            new ExportedModel("transformer", weights => FluxTransformerExport.Build(config, weights.WithNew(zeros), GraphFormat.OfNetwork(options))),
            .. FluxModulationInputs.ModelsOf(config, modulations).Select(model => new ExportedModel(
                model.Component, weights => FluxModulationExport.Build(config, model, weights, GraphFormat.OfPreparation(options)))),
        ])
    { ClassName = config.ClassName };

    private static ExportedNetwork Clip(string folder, ClipTextConfig config, OnnxExportOptions options) => new(
        folder, new ExportedModel("text_encoder", weights => ClipTextExport.Build(config, weights, GraphFormat.OfSmallText(options))))
    {
        Prefix = ClipTextExport.LegacyPrefix,
        Belongs = ClipTextExport.Belongs,
        IsClip = true,
    };
}
