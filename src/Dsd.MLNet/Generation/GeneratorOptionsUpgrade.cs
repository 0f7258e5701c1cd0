using System.Text.Json.Nodes;
using Dsd.Models.Sampling;

namespace Dsd.MLNet.Generation;

/// <summary>
/// The options of a <see cref="DsdGenerator"/> as its first version saved them: both backends' options beside each other, <c>Torch</c> null for ONNX,
/// and the block cache with the sampling.
/// </summary>
internal static class GeneratorOptionsUpgrade
{
    /// <summary>Brings saved options into today's form. Those in today's form stay as they are.</summary>
    public static void Apply(JsonObject options)
    {
        if (options.ContainsKey(nameof(DsdGeneratorOptions.Backend)))
        {
            return;
        }
        JsonNode? pipeline = Take(options, "Torch");
        JsonNode? folder = Take(options, "OnnxFolder");
        options[nameof(DsdGeneratorOptions.Backend)] = pipeline is null
            ? new JsonObject { [GeneratorBackend.KindName] = GeneratorBackend.OnnxKind, [nameof(OnnxGeneration.Folder)] = folder }
            : new JsonObject
            {
                [GeneratorBackend.KindName] = GeneratorBackend.TorchKind,
                [nameof(TorchGeneration.Pipeline)] = pipeline,
                [nameof(TorchGeneration.BlockCache)] = options[nameof(DsdGeneratorOptions.Sampling)] is JsonObject sampling
                    ? Take(sampling, nameof(DsdOptions.BlockCache)) ?? 0
                    : 0,
            };
    }

    private static JsonNode? Take(JsonObject from, string name)
    {
        JsonNode? node = from[name];
        from.Remove(name);
        return node;
    }
}
