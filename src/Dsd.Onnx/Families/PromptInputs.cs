using Dsd.Models.Text;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Families;

/// <summary>A network's inputs for prompts, positions and noise levels, from the exported text encoders and what else the family has.</summary>
public abstract class PromptInputs
{
    /// <summary>The inputs for rows of prompts, on the host; the caller disposes them.</summary>
    public abstract NetworkInputs Of(NetworkRows rows);

    /// <summary>
    /// What a text encoder gives for rows of prompts. Each different prompt is encoded once, and not again while the sessions keep what it gave
    /// (<see cref="OnnxRuntimeOptions.PromptCacheBytes"/>): with none left to encode, the encoder is not even opened.
    /// </summary>
    /// <param name="prompts">One a row.</param>
    /// <param name="sessions">Run the encoder.</param>
    /// <param name="component">The encoder's folder; its model takes <c>input_ids</c>.</param>
    /// <param name="output">Which of its outputs is wanted, from 0.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="length">Tokens that each prompt is padded or cut to.</param>
    /// <param name="encoder">The encoder's name, for messages.</param>
    /// <param name="warn">Called with a warning for each prompt that was cut off.</param>
    /// <param name="cancellationToken">Ends the run of the encoder.</param>
    /// <returns>[rows, …], the caller's.</returns>
    protected static OnnxTensor Encode(
        IReadOnlyList<string> prompts, OnnxSessions sessions, string component, int output, ITextTokenizer tokenizer, int length, string encoder,
        Action<string>? warn, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(sessions);
        ArgumentNullException.ThrowIfNull(tokenizer);
        PromptCache.Key Key(string prompt) => new(component, output, length, prompt);
        Dictionary<string, PromptCache.Embedding> known = [];
        List<(string Prompt, long[] Ids)> missing = [];
        foreach (string prompt in prompts.Distinct(StringComparer.Ordinal))
        {
            // Tokens are made in any case: a prompt that is cut off is a warning each time.
            long[] ids = Ids(tokenizer, prompt, length, encoder, warn);
            if (sessions.Prompts.Find(Key(prompt)) is { } kept)
            {
                known.Add(prompt, kept);
            }
            else
            {
                missing.Add((prompt, ids));
            }
        }
        if (missing.Count > 0)
        {
            using OnnxTensor ids = OnnxTensor.Of([.. missing.SelectMany(m => m.Ids)], missing.Count, length);
            IReadOnlyList<OnnxTensor> outputs = sessions.Run(component, [("input_ids", ids)], cancellationToken);
            try
            {
                OnnxTensor wanted = outputs[output];
                int size = wanted.Floats.Length / missing.Count;
                for (int i = 0; i < missing.Count; i++)
                {
                    PromptCache.Embedding embedding = new(wanted.Floats.Slice(i * size, size).ToArray(), [.. wanted.Shape.Skip(1)]);
                    sessions.Prompts.Keep(Key(missing[i].Prompt), embedding);
                    known.Add(missing[i].Prompt, embedding);
                }
            }
            finally
            {
                foreach (OnnxTensor tensor in outputs)
                {
                    tensor.Dispose();
                }
            }
        }
        PromptCache.Embedding first = known[prompts[0]];
        float[] rows = new float[prompts.Count * first.Numbers.Length];
        for (int i = 0; i < prompts.Count; i++)
        {
            known[prompts[i]].Numbers.CopyTo(rows, i * first.Numbers.Length);
        }
        return OnnxTensor.Of(rows, [prompts.Count, .. first.Shape]);
    }

    private static long[] Ids(ITextTokenizer tokenizer, string prompt, int length, string encoder, Action<string>? warn)
    {
        long[] ids = tokenizer.Encode(prompt, length, out bool truncated);
        if (truncated)
        {
            warn?.Invoke(
                $"The prompt '{prompt[..Math.Min(40, prompt.Length)]}…' has more than the {length} tokens that {encoder} takes: "
                    + $"its end was cut off for {encoder}.");
        }
        return ids;
    }
}
