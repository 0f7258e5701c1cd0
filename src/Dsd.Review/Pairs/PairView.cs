using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Curation.Judging;

namespace Dsd.Review.Pairs;

/// <summary>A pair as the page gets it.</summary>
internal sealed record PairView
{
    /// <summary>How all that goes to the page is written: non-ASCII letters and all that could end a script are escaped.</summary>
    public static JsonSerializerOptions Json { get; } =
        new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public required string Id { get; init; }

    /// <summary>What is wrong with a row of the ledger that this needs; null where it could be read.</summary>
    public string? Fault { get; init; }

    public required string Subject { get; init; }

    public required string Prompt { get; init; }

    public required bool Undecided { get; init; }

    public required bool Kept { get; init; }

    public required double? Confidence { get; init; }

    public required string Reason { get; init; }

    public required bool? Reviewed { get; init; }

    public required PanelView First { get; init; }

    public required PanelView Second { get; init; }

    public required Verdict? Verdict { get; init; }

    public required IReadOnlyList<VoteView> Votes { get; init; }

    /// <summary>A pair that cannot be shown, in its place.</summary>
    public static PairView Unreadable(string id, string fault)
    {
        PanelView none = new("", "", "", "");
        return new PairView
        {
            Id = id,
            Fault = fault,
            Subject = "",
            Prompt = "",
            Undecided = false,
            Kept = false,
            Confidence = null,
            Reason = "",
            Reviewed = null,
            First = none,
            Second = none,
            Verdict = null,
            Votes = [],
        };
    }
}

/// <summary>A panel: its address relative to the page, a small one's, its caption, and its place on the grid in words.</summary>
internal sealed record PanelView(string Source, string Small, string Caption, string Place);

/// <summary>A vote.</summary>
internal sealed record VoteView(
    string Judge, string? Model, bool Kept, string Reason, Verdict? Verdict, int Attempts, long InputTokens, long OutputTokens, double Seconds);
