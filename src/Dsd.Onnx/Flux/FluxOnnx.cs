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
        return new ExportPlan
        {
            Conditional = parts.Flux.Conditional,
            Guidance = parts.Flux.GuidanceEmbeds,
            Network = new ExportedNetwork(
                parts.TransformerFolder,
                new ExportedModel("transformer", weights => FluxTransformerExport.Build(parts.Flux, weights, GraphFormat.OfNetwork(options))),
                new ExportedModel("modulation", weights => FluxModulationExport.Build(parts.Flux, weights, GraphFormat.OfPreparation(options))))
            { ClassName = parts.Flux.ClassName },
            TextEncoders =
            [
                new ExportedNetwork(
                    model.ComponentFolder("text_encoder"),
                    new ExportedModel("text_encoder", weights => ClipTextExport.Build(parts.Clip, weights, GraphFormat.OfSmallText(options))))
                {
                    Prefix = ClipTextExport.LegacyPrefix,
                    Belongs = ClipTextExport.Belongs,
                    IsClip = true,
                },
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
    public override PromptInputs Open(OnnxModelFolder folder, OnnxSessions sessions) => new FluxPromptInputs(folder, sessions);
}
