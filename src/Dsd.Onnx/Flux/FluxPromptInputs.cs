using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Onnx.Families;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Flux;

/// <summary>T5's states, CLIP's pooled vector, and the positions of text and image tokens.</summary>
internal sealed class FluxPromptInputs(OnnxModelFolder folder, OnnxSessions sessions) : PromptInputs
{
    private readonly ClipTokenizer _clip = ClipTokenizer.Load(folder.Folder("tokenizer"));
    private readonly T5Tokenizer _t5 = T5Tokenizer.Load(folder.Folder("tokenizer_2"));

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, OnnxTensor Value)> Of(
        IReadOnlyList<string> prompts, int? maxTokens, Canvas canvas, Action<string>? warn, CancellationToken cancellationToken)
    {
        OnnxTensor pooled = Encode(prompts, sessions, "text_encoder", 1, _clip, _clip.MaxLength, "CLIP", warn, cancellationToken); // [rows, channels]
        OnnxTensor states; // [rows, tokens, channels]
        try
        {
            states = Encode(prompts, sessions, "text_encoder_2", 0, _t5, maxTokens ?? _t5.MaxLength, "T5", warn, cancellationToken);
        }
        catch
        {
            pooled.Dispose();
            throw;
        }
        long tokens = states.Shape[1];
        return
        [
            ("encoder_hidden_states", states),
            ("pooled_projections", pooled),
            ("img_ids", OnnxTensor.Of(LatentPacking.Positions(canvas.LatentHeight, canvas.LatentWidth), canvas.Tokens, 3)),
            ("txt_ids", OnnxTensor.Of(new float[3 * tokens], tokens, 3)),
        ];
    }
}
