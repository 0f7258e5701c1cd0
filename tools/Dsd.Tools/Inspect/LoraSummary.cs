using System.Globalization;
using Dsd.Models.Lora;
using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>An adapter among a set of tensors, as the loader reads it.</summary>
internal sealed record LoraSummary
{
    /// <summary>
    /// Whose names the layers have: <c>peft</c> (diffusers' modules), <c>black-forest-labs</c> (the modules of their single files) or <c>kohya</c>
    /// (underscores for dots).
    /// </summary>
    public required string Layout { get; init; }

    /// <summary>How many layers of the transformer are adapted, as the file names them.</summary>
    public required int Pairs { get; init; }

    /// <summary>The ranks that occur, in order.</summary>
    public required long[] Ranks { get; init; }

    /// <summary>
    /// The alphas that the loader computes with, in order, whether they stand in the file's metadata, in PEFT's config beside it or in tensors; none
    /// where nothing states one, and
    /// alpha equals the rank. Where the config asks for the rank's root (<c>use_rslora</c>), they hold it already.
    /// </summary>
    public required double[] Alphas { get; init; }

    /// <summary>The one alpha that the file states; null where it states none, or several.</summary>
    public double? Alpha => Alphas.Length == 1 ? Alphas[0] : null;

    /// <summary>The adapted layers by the end of their names, with how many there are of each.</summary>
    public required IReadOnlyDictionary<string, int> Targets { get; init; }

    /// <summary>Tensors that are replaced whole, such as a reference's embedder.</summary>
    public required string[] WholeTensors { get; init; }

    /// <summary>How many layers of CLIP's text encoder are adapted.</summary>
    public required int ClipPairs { get; init; }

    /// <summary>How many tensors are for text encoders, CLIP's among them.</summary>
    public required int TextTensors { get; init; }

    /// <summary>
    /// Whether the loader, which is asked, takes the file: <c>yes</c>, <c>no</c>, or <c>by choice</c> where a part for text encoders must be chosen
    /// for; <c>unused</c> within a model's weights.
    /// </summary>
    public required string Loads { get; init; }

    /// <summary>Why the loader refuses it, and what it passes over.</summary>
    public required string[] Warnings { get; init; }

    /// <summary>The adapter among the tensors; null where there is none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Its tensors by name.</param>
    /// <param name="metadata">Its metadata.</param>
    /// <param name="isModel">Whether they lie in a model's weights, where no loader looks for an adapter.</param>
    /// <param name="scalar">Reads a tensor of one number.</param>
    public static LoraSummary? Find(
        string path, IReadOnlyDictionary<string, TensorEntry> tensors, IReadOnlyDictionary<string, string> metadata, bool isModel, Func<string, double> scalar)
    {
        if (!tensors.Keys.Any(LoraContents.IsAdapterKey))
        {
            return null;
        }
        LoraContents contents = LoraContents.Read(path, tensors, metadata, scalar);
        bool always = contents.ProblemsFor(LoraTextEncoders.Refuse).Count == 0;
        LoraTextEncoders? choice = always ? LoraTextEncoders.Refuse
            : contents.ProblemsFor(LoraTextEncoders.Apply).Count == 0 ? LoraTextEncoders.Apply
            : contents.ProblemsFor(LoraTextEncoders.LeaveOut).Count == 0 ? LoraTextEncoders.LeaveOut
            : null;
        string? refusal = choice is { } c && !isModel ? Refusal(path, c) : null;
        return new LoraSummary
        {
            Layout = contents.Layout,
            Pairs = contents.Layers.Count,
            Ranks = [.. contents.Layers.Concat(contents.ClipLayers).Select(l => (long)l.Rank).Distinct().Order()],
            Alphas = contents.StatesAlpha ? [.. contents.Layers.Select(l => (double)l.Alpha).Distinct().Order()] : [],
            Targets = new SortedDictionary<string,
                int>(contents.Layers.GroupBy(l => Target(l.Module)).ToDictionary(g => g.Key, g => g.Count()), StringComparer.Ordinal),
            WholeTensors = [.. contents.Whole.Keys.Order(StringComparer.Ordinal)],
            ClipPairs = contents.ClipLayers.Count,
            TextTensors = contents.Clip.Count + contents.T5.Count,
            Loads = isModel ? "unused" : refusal is not null || choice is null ? "no" : always ? "yes" : "by choice",
            Warnings = isModel ? [] :
            [
                .. refusal is null ? Array.Empty<string>() : [refusal],
                .. contents.ProblemsFor(LoraTextEncoders.Refuse).Select(p => p.ToString()),
                .. contents.ClipProblems.Select(p => $"CLIP's part: {p}"),
                .. contents.Notes,
            ],
        };
    }

    /// <summary>What the loader says of the numbers, where it takes the names, shapes and config; null where it takes all.</summary>
    private static string? Refusal(string path, LoraTextEncoders choice)
    {
        try
        {
            LoraAdapter.Load(path, choice).Dispose();
            return null;
        }
        catch (WeightsException e)
        {
            return ErrorText.OneLine(e).TrimEnd('.');
        }
    }

    /// <summary>The part of a layer's name behind its block number, and the block's own name: <c>transformer_blocks.*.attn.to_out.0</c>.</summary>
    private static string Target(string module)
    {
        char dot = module.Contains('.', StringComparison.Ordinal) ? '.' : '_';
        string[] parts = module.Split(dot);
        int block = Array.FindIndex(parts, p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (block <= 0 || block == parts.Length - 1)
        {
            return dot == '.' ? parts[^1] : module;
        }
        string[] before = dot == '.' ? [parts[block - 1]] : parts[..block];
        return string.Join(dot, [.. before, "*", .. parts[(block + 1)..]]);
    }
}
