using Dsd.Models.Families;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>
/// What an adapter's file holds, from its keys, shapes and config alone: the one reader for whoever loads adapters and whoever describes them. It never
/// throws for what stands
/// in the file, but notes all that is wrong.
/// </summary>
public sealed record LoraContents
{
    private const int MostRank = 65536;

    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>
    /// Whose names the transformer's layers have: <c>peft</c> (those of diffusers, however they are prefixed), <c>black-forest-labs</c> or <c>kohya</c>
    /// (underscores).
    /// </summary>
    public required string Layout { get; init; }

    /// <summary>The transformer's adapted layers.</summary>
    public required IReadOnlyList<Layer> Layers { get; init; }

    /// <summary>Whole tensors of the transformer: parameter names and their keys.</summary>
    public required IReadOnlyDictionary<string, string> Whole { get; init; }

    /// <summary>The adapted layers of CLIP's text encoder.</summary>
    public required IReadOnlyList<Layer> ClipLayers { get; init; }

    /// <summary>All keys that are for CLIP's text encoder.</summary>
    public required IReadOnlyList<string> Clip { get; init; }

    /// <summary>All keys that are for T5, or for text encoders that FLUX does not have.</summary>
    public required IReadOnlyList<string> T5 { get; init; }

    /// <summary>Whether the file or its config says what alpha is; without it alpha is the rank.</summary>
    public required bool StatesAlpha { get; init; }

    /// <summary>What was passed over, in sentences.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>What is wrong with the transformer's part.</summary>
    public required IReadOnlyList<LoraProblem> Problems { get; init; }

    /// <summary>What is wrong with CLIP's part.</summary>
    public required IReadOnlyList<LoraProblem> ClipProblems { get; init; }

    /// <summary>Whether a tensor's key is one that adapters of any kind have, those among them that cannot be used here.</summary>
    public static bool IsAdapterKey(string key) => LoraKeys.IsOfAdapter(key);

    /// <summary>Reads what stands in a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="entries">Its tensors by key.</param>
    /// <param name="metadata">Its metadata.</param>
    /// <param name="scalar">Reads a tensor of one number.</param>
    /// <param name="isFile">Whether the path is that of a file, which PEFT's config may lie beside. Not so for bytes in memory.</param>
    public static LoraContents Read(
        string path,
        IReadOnlyDictionary<string, TensorEntry> entries,
        IReadOnlyDictionary<string, string> metadata,
        Func<string, double> scalar,
        bool isFile = true)
    {
        LoraKeys keys = LoraKeys.Read(entries.Keys);
        List<LoraProblem> problems = [.. keys.Problems];
        List<LoraProblem> clipProblems = [.. keys.ClipProblems];
        LoraMetadata config = new();
        try
        {
            config = LoraMetadata.Of(path, metadata, isFile);
        }
        catch (Exception e) when (e is WeightsException or IOException or UnauthorizedAccessException)
        {
            problems.Add(new("a config of the adapter that can be read", e.Message.TrimEnd('.')));
        }
        problems.AddRange(config.Transformer?.Problems ?? []);
        problems.AddRange(config.Transformer?.Missing([.. keys.Layers.Select(l => l.Module)], [.. keys.Whole.Keys], keys.IsUnderscored) ?? []);
        clipProblems.AddRange(config.Clip?.Problems ?? []);
        clipProblems.AddRange(config.Clip?.Missing([.. keys.ClipLayers.Select(l => l.Module)], [], keys.IsUnderscored) ?? []);
        List<Layer> layers = Match(keys.Layers, entries, scalar, config.Transformer, problems);
        List<Layer> clip = Match(keys.ClipLayers, entries, scalar, config.Clip, clipProblems);
        if (keys.Layers.Count == 0 && problems.Count == 0 && keys.Clip.Count == 0)
        {
            string[] found = [.. entries.Keys.Order(StringComparer.Ordinal)];
            problems.Add(new(
                "an adapter with tensors that end in .lora_A.weight",
                $"{found.Length} tensors, none of them such: {WeightsException.Some(found)}"));
        }
        return new LoraContents
        {
            Path = path,
            Layout = keys.IsUnderscored ? "kohya" : keys.Layers.Any(l => ModelFamilies.OfPublished(l.Module) is not null) ? "black-forest-labs" : "peft",
            Layers = layers,
            Whole = keys.Whole,
            ClipLayers = clip,
            Clip = keys.Clip,
            T5 = keys.T5,
            StatesAlpha = config.Transformer is not null || keys.Layers.Any(l => l.Alpha is not null),
            Notes = [.. (config.Transformer?.Notes ?? []).Concat(config.Clip?.Notes ?? []).Distinct()],
            Problems = problems,
            ClipProblems = keys.Clip.Count > 0 ? clipProblems : [],
        };
    }

    /// <summary>Why the file cannot be loaded so; empty where it can.</summary>
    public IReadOnlyList<LoraProblem> ProblemsFor(LoraTextEncoders choice)
    {
        List<LoraProblem> problems = [.. Problems];
        if (choice == LoraTextEncoders.Refuse && Clip.Count + T5.Count > 0)
        {
            string[] text = [.. Clip, .. T5];
            problems.Add(new(
                "tensors of the transformer alone",
                $"{text.Length} for text encoders, which the option TextEncoders leaves out (LeaveOut, '--lora-text leave-out') "
                    + $"or, for CLIP, applies (Apply, '--lora-text apply'): {WeightsException.Some(text)}"));
        }
        else if (choice == LoraTextEncoders.Apply)
        {
            problems.AddRange(ClipProblems);
        }
        bool taken = Layers.Count > 0 || (choice == LoraTextEncoders.Apply && ClipLayers.Count > 0);
        if (!taken && problems.Count == 0)
        {
            problems.Add(new(
                choice == LoraTextEncoders.Apply ? "factors of the transformer or of CLIP's text encoder" : "factors of the transformer",
                $"{Clip.Count + T5.Count} tensors for text encoders alone"));
        }
        return problems;
    }

    /// <summary>What a load leaves out or passes over, in sentences for whoever asked for it.</summary>
    public IReadOnlyList<string> RemarksFor(LoraTextEncoders choice)
    {
        string[] left = choice == LoraTextEncoders.Apply ? [.. T5] : [.. Clip, .. T5];
        string whose = choice == LoraTextEncoders.Apply ? "T5, which is not adapted here" : "text encoders";
        IEnumerable<string> notes = Notes.Select(n => $"'{Path}': {n}");
        return left.Length > 0
            ? [$"Of '{Path}', {left.Length} tensors for {whose} were left out: {WeightsException.Some(left)}.", .. notes]
            : [.. notes];
    }

    private static List<Layer> Match(
        IReadOnlyList<LoraKeys.Layer> keys,
        IReadOnlyDictionary<string, TensorEntry> entries,
        Func<string, double> scalar,
        PeftConfig? config,
        List<LoraProblem> problems)
    {
        List<Layer> layers = [];
        Dictionary<string, string> taken = [];
        foreach (LoraKeys.Layer key in keys)
        {
            (TensorEntry a, TensorEntry b) = (entries[key.A], entries[key.B]);
            if (a.Shape.Length != 2 || b.Shape.Length != 2 || a.Shape[0] != b.Shape[1] || a.Shape[0] is < 1 or > MostRank)
            {
                problems.Add(new("factors A [rank, inputs] and B [outputs, rank] of one rank", $"A {a} and B {b}", a.Name));
                continue;
            }
            if (key.Parts.Divide(b.Shape[0]) is not { } outputs)
            {
                problems.Add(new($"outputs that {string.Join(", ", key.Parts.Modules)} can share", $"{b}", b.Name));
                continue;
            }
            foreach (string module in key.Parts.Modules.Where(m => !taken.TryAdd(m, a.Name)))
            {
                problems.Add(new($"one pair of factors for {module}", $"a second one, {a.Name}, beside {taken[module]}"));
            }
            int rank = (int)a.Shape[0];
            layers.Add(new Layer(key.Module, key.Parts, a, b, outputs, rank, Alpha(key, entries, scalar, config, rank, problems)));
        }
        return layers;
    }

    private static float Alpha(
        LoraKeys.Layer key,
        IReadOnlyDictionary<string, TensorEntry> entries,
        Func<string, double> scalar,
        PeftConfig? config,
        int rank,
        List<LoraProblem> problems)
    {
        double? configured = config?.AlphaOf(key.Module, rank, problems);
        double? stored = key.Alpha is null ? null : Scalar(entries[key.Alpha], scalar, problems);
        // A stored alpha may have been rounded to few bits.
        if (configured is { } one && stored is { } other && Math.Abs(one - other) > 0.01 * Math.Max(Math.Abs(one), Math.Abs(other)))
        {
            problems.Add(new($"one alpha for {key.Module}", $"{one} by the adapter's config and {other} as '{key.Alpha}'"));
        }
        return (float)(stored ?? configured ?? rank);
    }

    private static double? Scalar(TensorEntry entry, Func<string, double> scalar, List<LoraProblem> problems)
    {
        if (entry.ElementCount != 1 || entry.DType == "BOOL")
        {
            problems.Add(new("one number", $"{entry}", entry.Name));
            return null;
        }
        try
        {
            double alpha = scalar(entry.Name);
            if (alpha > 0 && float.IsFinite((float)alpha) && (float)alpha > 0)
            {
                return alpha;
            }
            problems.Add(new("a finite alpha above 0", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{alpha}"), entry.Name));
        }
        catch (WeightsException e)
        {
            problems.Add(new("a number that can be read", e.Message.TrimEnd('.'), entry.Name));
        }
        return null;
    }

    /// <summary>An adapted layer.</summary>
    /// <param name="Module">Its name in the file, without what stands before all names.</param>
    /// <param name="Parts">Which layers of this library it is.</param>
    /// <param name="A">The first factor.</param>
    /// <param name="B">The second factor.</param>
    /// <param name="Outputs">How many outputs each of the layers has.</param>
    /// <param name="Rank">The rank.</param>
    /// <param name="Alpha">What the product is multiplied by, before it is divided by the rank.</param>
    public sealed record Layer(string Module, LayerParts Parts, TensorEntry A, TensorEntry B, long[] Outputs, int Rank, float Alpha);
}
