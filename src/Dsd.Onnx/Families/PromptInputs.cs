using Dsd.Models.Text;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Families;

/// <summary>A network's inputs for prompts, positions and noise levels, from the exported text encoders and what else the family has.</summary>
public abstract class PromptInputs
{
    /// <summary>The inputs for rows of prompts; the caller disposes them.</summary>
    public abstract NetworkInputs Of(NetworkRows rows);

    /// <summary>What a text encoder gives for rows of prompts. Each different prompt is encoded once.</summary>
    /// <param name="prompts">One a row.</param>
    /// <param name="sessions">Run the encoder.</param>
    /// <param name="component">The encoder's folder; its model takes <c>input_ids</c>.</param>
    /// <param name="output">Which of its outputs is wanted, from 0.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="length">Tokens that each prompt is padded or cut to.</param>
    /// <param name="encoder">The encoder's name, for messages.</param>
    /// <param name="warn">Called with a warning for each prompt that was cut off.</param>
    /// <returns>[rows, …], the caller's.</returns>
    protected static OnnxTensor Encode(
        IReadOnlyList<string> prompts, OnnxSessions sessions, string component, int output, ITextTokenizer tokenizer, int length, string encoder,
        Action<string>? warn)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(sessions);
        ArgumentNullException.ThrowIfNull(tokenizer);
        string[] different = [.. prompts.Distinct(StringComparer.Ordinal)];
        using OnnxTensor ids = Ids(tokenizer, different, length, encoder, warn);
        IReadOnlyList<OnnxTensor> outputs = sessions.Run(component, ("input_ids", ids));
        try
        {
            return outputs[output].Rows([.. prompts.Select(p => Array.IndexOf(different, p))]);
        }
        finally
        {
            foreach (OnnxTensor tensor in outputs)
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
                warn?.Invoke(
                    $"The prompt '{prompts[i][..Math.Min(40, prompts[i].Length)]}…' has more than the {length} tokens that {encoder} takes: "
                        + $"its end was cut off for {encoder}.");
            }
        }
        return OnnxTensor.Of(ids, prompts.Length, length);
    }
}
