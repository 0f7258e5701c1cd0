namespace Dsd.Evaluation.Benchmarks.DreamBenchPlus;

/// <summary>A generated picture with its reference and its prompt.</summary>
/// <param name="Collection">The collection's id.</param>
/// <param name="Prompt">The prompt's index, from 0.</param>
/// <param name="Sample">Which picture for this prompt, from 0.</param>
/// <param name="Reference">The reference picture's file.</param>
/// <param name="Generated">The generated picture's file.</param>
/// <param name="Text">The prompt.</param>
public sealed record DreamBenchItem(string Collection, int Prompt, int Sample, string Reference, string Generated, string Text)
{
    /// <summary>
    /// The item's name in results: <c>COLLECTION-PROMPT</c> as in the original's files, and <c>-SAMPLE</c> after it from the second picture on.
    /// </summary>
    public string Key => Sample == 0 ? FormattableString.Invariant($"{Collection}-{Prompt}") : FormattableString.Invariant($"{Collection}-{Prompt}-{Sample}");

    /// <summary>What the collection is of.</summary>
    public DreamBenchCategory Category => CategoryOf(Collection);

    /// <summary>What kind of prompt it is.</summary>
    public DreamBenchPrompts Prompts => Prompt switch
    {
        <= 3 => DreamBenchPrompts.Photorealistic,
        <= 6 => DreamBenchPrompts.StyleTransfer,
        <= 8 => DreamBenchPrompts.Imaginative,
        _ => DreamBenchPrompts.Other,
    };

    /// <summary>The category that a collection's id says.</summary>
    public static DreamBenchCategory CategoryOf(string collection)
    {
        ArgumentNullException.ThrowIfNull(collection);
        const string Live = "live_subject_";
        string kind = collection.StartsWith(Live, StringComparison.Ordinal) ? collection[Live.Length..] : collection;
        return kind.StartsWith("animal_", StringComparison.Ordinal) ? DreamBenchCategory.Animal
            : kind.StartsWith("human_", StringComparison.Ordinal) ? DreamBenchCategory.Human
            : kind.StartsWith("object_", StringComparison.Ordinal) ? DreamBenchCategory.Object
            : kind.StartsWith("style_", StringComparison.Ordinal) ? DreamBenchCategory.Style
            : DreamBenchCategory.Other;
    }
}
