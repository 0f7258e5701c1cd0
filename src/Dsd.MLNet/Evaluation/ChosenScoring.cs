using Dsd.Evaluation.Encoders;
using Dsd.MLNet.Stages.Saving;
using Dsd.Onnx.Runtime;

namespace Dsd.MLNet.Evaluation;

/// <summary>Which of the two ways runs an encoder: docs/decisions/embedding-scoring.md.</summary>
internal static class ChosenScoring
{
    /// <exception cref="ArgumentException">ML.NET's transform is asked for and cannot serve; the message says why.</exception>
    public static EmbeddingScoring Of(EncoderFolder folder, EncoderStageOptions options, string device)
    {
        OnnxRuntimeOptions runtime = options.Runtime.On(device);
        string? hindrance = Hindrance(folder, options.Runtime, runtime.Providers);
        if (options.Scoring == EmbeddingScoring.OnnxTransformer && hindrance is not null)
        {
            throw new ArgumentException(
                $"Option {nameof(options.Scoring)} is {options.Scoring}, but ML.NET's ApplyOnnxModel does not serve here: {hindrance}. "
                    + $"Leave the option out, or take {EmbeddingScoring.OnnxRuntime}.",
                nameof(options));
        }
        return options.Scoring != EmbeddingScoring.Automatic ? options.Scoring
            : hindrance is null && runtime.Providers is [OnnxProvider.Cpu] ? EmbeddingScoring.OnnxTransformer
            : EmbeddingScoring.OnnxRuntime;
    }

    private static string? Hindrance(EncoderFolder folder, OnnxRuntimeOptions given, IReadOnlyList<OnnxProvider> providers)
    {
        if (!folder.WeightsAreInside)
        {
            return $"the weights of '{folder.Path}' lie beside the model, and a saved transform would lose them";
        }
        // As text, since a record compares its lists by what holds them.
        if (ModelEntry.Text(given) != ModelEntry.Text(new OnnxRuntimeOptions()))
        {
            return $"option {nameof(EncoderStageOptions.Runtime)} sets what it cannot be told";
        }
        OnnxProvider[] others = [.. providers.Where(p => p is not (OnnxProvider.Cpu or OnnxProvider.Cuda))];
        return others.Length > 0 ? $"it computes on the processor and CUDA, not on {others[0]}" : null;
    }
}
