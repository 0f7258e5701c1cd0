using Dsd.Models.Text;

namespace Dsd.Onnx.Runtime;

/// <summary>Prompts as the transformer takes them, through both tokenizers and both text encoders.</summary>
internal sealed class PromptEncoder
{
    private readonly OnnxSessions _sessions;
    private readonly ClipTokenizer _clip;
    private readonly T5Tokenizer _t5;

    public PromptEncoder(OnnxModelFolder folder, OnnxSessions sessions)
    {
        _sessions = sessions;
        _clip = ClipTokenizer.Load(folder.Folder("tokenizer"));
        _t5 = T5Tokenizer.Load(folder.Folder("tokenizer_2"));
    }

    /// <summary>T5 tokens of a prompt where nothing else is asked for.</summary>
    public int MostTokens => _t5.MaxLength;

    /// <summary>Encodes prompts, each different one once.</summary>
    /// <param name="prompts">One a row of the batch.</param>
    /// <param name="tokens">T5 tokens that every prompt is padded or cut to.</param>
    /// <param name="warn">Told of prompts that were cut.</param>
    /// <returns>T5's states [rows, tokens, channels] and CLIP's pooled vectors [rows, channels].</returns>
    public (OnnxTensor States, OnnxTensor Pooled) Encode(IReadOnlyList<string> prompts, int tokens, Action<string>? warn)
    {
        string[] different = [.. prompts.Distinct(StringComparer.Ordinal)];
        int[] rows = [.. prompts.Select(p => Array.IndexOf(different, p))];

        using OnnxTensor clipIds = Ids(_clip, different, _clip.MaxLength, "CLIP", warn);
        IReadOnlyList<OnnxTensor> clip = _sessions.Run("text_encoder", ("input_ids", clipIds));
        using OnnxTensor t5Ids = Ids(_t5, different, tokens, "T5", warn);
        IReadOnlyList<OnnxTensor> t5 = _sessions.Run("text_encoder_2", ("input_ids", t5Ids));
        try
        {
            return (Rows(t5[0], rows), Rows(clip[1], rows));
        }
        finally
        {
            foreach (OnnxTensor tensor in clip.Concat(t5))
            {
                tensor.Dispose();
            }
        }
    }

    private static OnnxTensor Ids(ITextTokenizer tokenizer, string[] prompts, int length, string encoder, Action<string>? warn)
    {
        long[] ids = new long[prompts.Length * length];
        for (int i = 0; i < prompts.Length; i++)
        {
            tokenizer.Encode(prompts[i], length, out bool truncated).CopyTo(ids, i * length);
            if (truncated)
            {
                warn?.Invoke($"The prompt '{prompts[i][..Math.Min(40, prompts[i].Length)]}…' has more than the {length} tokens that {encoder} takes: its end was cut off for {encoder}.");
            }
        }
        return OnnxTensor.Of(ids, prompts.Length, length);
    }

    private static OnnxTensor Rows(OnnxTensor tensor, int[] rows)
    {
        int size = tensor.Floats.Length / (int)tensor.Shape[0];
        float[] values = new float[rows.Length * size];
        for (int i = 0; i < rows.Length; i++)
        {
            tensor.Floats.Slice(rows[i] * size, size).CopyTo(values.AsSpan(i * size));
        }
        return OnnxTensor.Of(values, [rows.Length, .. tensor.Shape.Skip(1)]);
    }
}
