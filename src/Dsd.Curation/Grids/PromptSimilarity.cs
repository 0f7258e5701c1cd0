namespace Dsd.Curation.Grids;

/// <summary>How alike two grid prompts are: the share of words that both have (Jaccard), over subject and panels.</summary>
internal static class PromptSimilarity
{
    // Words that every prompt has say nothing.
    private static readonly HashSet<string> Common = new(
        ["a", "an", "the", "in", "on", "at", "of", "and", "with", "under", "by", "to", "from", "seen", "its", "is"], StringComparer.OrdinalIgnoreCase);

    public static HashSet<string> Words(GridPrompt prompt) => new(
        prompt.Captions.Append(prompt.Subject).SelectMany(
            text => text.Split([' ', ',', '.', ';', ':', '"', '\'', '-', '(', ')'], StringSplitOptions.RemoveEmptyEntries)).Where(w => !Common.Contains(w)),
        StringComparer.OrdinalIgnoreCase);

    public static double Of(HashSet<string> a, HashSet<string> b)
    {
        int both = a.Count(b.Contains);
        return a.Count + b.Count == 0 ? 1 : (double)both / (a.Count + b.Count - both);
    }
}
