using Dsd.Models.Lora;
using Dsd.Models.Native;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;

namespace Dsd.Models.Families;

/// <summary>
/// Looks whether a model can be loaded, before hours of other work depend on it: configs, tokenizers, the headers of weights and adapters, and the device.
/// No weights are read, so it takes a moment for a model of any size; what only the weights show is left to loading.
/// </summary>
public static class ModelCheck
{
    /// <summary>Checks what <see cref="DiffusionModel.Load(string, PipelineOptions?)"/> would load, and draw with.</summary>
    /// <param name="folder">The folder with <c>model_index.json</c>.</param>
    /// <param name="width">Width in pixels of the pictures that shall be drawn.</param>
    /// <param name="height">Height in pixels of the pictures that shall be drawn.</param>
    /// <param name="options">Device, type and adapters. Null is the defaults.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or an adapter does not fit.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, there is no such device, or the size does not come out as whole
    /// tokens.</exception>
    /// <exception cref="IOException">A folder or file is missing, or cannot be read.</exception>
    public static void Plain(string folder, int width, int height, PipelineOptions? options = null) =>
        Check(new ModelSource(folder), width, height, options, []);

    /// <summary>Checks what <see cref="DiffusionModel.LoadConditional"/> would load, and draw or train with.</summary>
    /// <param name="folder">A pipeline's folder.</param>
    /// <param name="releaseFolder">A DSD release folder; null for none.</param>
    /// <param name="width">Width in pixels of a frame.</param>
    /// <param name="height">Height in pixels of a frame.</param>
    /// <param name="options">Device, type and adapters. Null is the defaults.</param>
    /// <param name="targets">Which layers a new adapter shall adapt (<see cref="LoraOptions.Targets"/>). Null is none.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or an adapter does not fit.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, there is no such device or layer, or the size does not come out as
    /// whole tokens.</exception>
    /// <exception cref="IOException">A folder or file is missing, or cannot be read.</exception>
    public static void Conditional(
        string folder, string? releaseFolder, int width, int height, PipelineOptions? options = null, IReadOnlyList<string>? targets = null) =>
        Check(new ModelSource(folder) { ReleaseFolder = releaseFolder, Conditional = true }, width, height, options, targets ?? []);

    /// <summary>
    /// Compares the names, types and shapes of all weights with what the configs describe, part by part, by headers alone: a moment for a model of any size.
    /// </summary>
    /// <param name="folder">A pipeline's folder.</param>
    /// <param name="releaseFolder">A DSD release folder, whose network takes the place of the pipeline's; null for none.</param>
    /// <param name="options">Files that take the place of the folder's. Null is the defaults.</param>
    /// <returns>Each part's name, and what is wrong with it: null where all fits.</returns>
    /// <exception cref="WeightsException">No family knows the folder.</exception>
    /// <exception cref="IOException">The folder is missing, or its index cannot be read.</exception>
    /// <exception cref="DllNotFoundException">The program brings no libtorch; the message says which package to add.</exception>
    public static IReadOnlyList<(string Part, Exception? Fault)> Weights(string folder, string? releaseFolder = null, PipelineOptions? options = null)
    {
        TorchLibrary.Require();
        (ModelFamily family, ModelFolder parts) = ModelFamilies.Open(folder);
        ModelSource source = new(folder) { ReleaseFolder = releaseFolder, Conditional = true };
        return [.. family.WeightChecks(parts, source, options ?? new PipelineOptions()).Select(part => (part.Part, Fault(part.Check)))];

        static Exception? Fault(Action check)
        {
            try
            {
                check();
                return null;
            }
            catch (Exception e) when (e is WeightsException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                return e;
            }
        }
    }

    /// <summary>What a folder's own network takes, without a release or an adapter.</summary>
    /// <param name="folder">The folder with <c>model_index.json</c>.</param>
    /// <exception cref="WeightsException">A file is missing or wrong.</exception>
    /// <exception cref="IOException">The folder is missing, or a file cannot be read.</exception>
    public static NetworkTraits Traits(string folder)
    {
        (ModelFamily family, ModelFolder parts) = ModelFamilies.Open(folder);
        return family.Traits(parts);
    }

    private static void Check(ModelSource source, int width, int height, PipelineOptions? options, IReadOnlyList<string> targets)
    {
        options ??= new PipelineOptions();
        (ModelFamily family, ModelFolder folder) = ModelFamilies.Open(source.Folder);
        ModelOutline outline = family.Outline(folder, source, options);
        try
        {
            outline.CanvasOf(width, height);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"Model '{folder.Path}': {e.Message}", e);
        }
        using WeightSource network = WeightSource.Open(outline.NetworkWeights);
        string[] whole = [.. options.Loras.Where(lora => LoraHeader.Check(lora, network, outline.NamesAreOwn)).Select(lora => lora.Source)];
        if (whole.Length > 1)
        {
            throw new WeightsException(
                whole[1], "one adapter that holds layers whole", $"a second one beside '{whole[0]}'. Leave one of them out");
        }
        const string Weight = ".weight";
        string[] layers = [.. network.Names.Where(n => n.EndsWith(Weight, StringComparison.Ordinal)).Select(n => n[..^Weight.Length])];
        string[] lost = outline.NamesAreOwn ? [.. targets.Where(t => !layers.Any(LayerPattern.Parse(t, nameof(targets)).Matches))] : [];
        if (lost.Length > 0)
        {
            throw new ArgumentException($"Targets {string.Join(", ", lost)} match no layer of the transformer '{network.Path}'.");
        }
    }
}
