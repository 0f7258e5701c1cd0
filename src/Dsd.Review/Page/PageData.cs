using System.Text.Json;
using Dsd.Review.Pairs;
using Dsd.Runs;

namespace Dsd.Review.Page;

/// <summary>What the page is given when it opens.</summary>
/// <param name="Name">What is reviewed: the folder's name.</param>
/// <param name="Flags">Flags to filter by.</param>
/// <param name="Judges">Judges to filter by.</param>
internal sealed record PageData(string Name, IReadOnlyList<string> Flags, IReadOnlyList<string> Judges)
{
    /// <summary>All pairs, for a page without a server; null where a server is asked for them.</summary>
    public IReadOnlyList<PairView>? Pairs { get; init; }

    /// <summary>How far the review has come, for a page without a server.</summary>
    public ReviewSummary? Summary { get; init; }

    /// <summary>What a folder's page is given.</summary>
    public static PageData Of(RunFolder folder) => new(
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path))),
        folder.Ledger.Flags(),
        [.. folder.Ledger.Usage().Select(u => u.Judge).Distinct()]);

    /// <summary>As a script; the serializer escapes whatever could end it.</summary>
    public string ToScript() => $"\"use strict\";\nwindow.dsdReview = {JsonSerializer.Serialize(this, PairView.Json)};\n";
}
