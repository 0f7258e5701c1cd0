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
    public override ExportPlan Plan(ModelFolder model, string? releaseFolder, bool bringsCondition)
    {
        FluxParts parts = FluxParts.Read(model, releaseFolder, bringsCondition);
        return new ExportPlan
        {
            Conditional = parts.Flux.Conditional,
            Guidance = parts.Flux.GuidanceEmbeds,
            Network = new ExportedNetwork(
                "transformer", parts.TransformerFolder, weights => FluxTransformerExport.Build(parts.Flux, weights))
            { ClassName = parts.Flux.ClassName },
            TextEncoders =
            [
                new ExportedNetwork("text_encoder", model.ComponentFolder("text_encoder"), weights => ClipTextExport.Build(parts.Clip, weights))
                {
                    Prefix = ClipTextExport.LegacyPrefix,
                    Belongs = ClipTextExport.Belongs,
                    IsClip = true,
                },
                new ExportedNetwork("text_encoder_2", model.ComponentFolder("text_encoder_2"), weights => T5EncoderExport.Build(parts.T5, weights))
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
