using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using Dsd.Curation.Axes;
using Dsd.Runs.Export;

namespace Dsd.Tools.Commands;

/// <summary>The options that say which pairs of a judged run are kept, in place of what the run kept.</summary>
internal sealed class CutOptions
{
    private static readonly Dictionary<string, PairAxis> Axes =
        Enum.GetValues<PairAxis>().ToDictionary(axis => JsonNamingPolicy.KebabCaseLower.ConvertName(axis.ToString()));

    private readonly Option<double?> _confidence = new Option<double?>("--least-confidence")
    {
        Description = "Keep pairs that the judge calls the same subject with at least this confidence, 0 to 1, in place of what the run kept.",
        HelpName = "X",
    }.Between(0, 1);
    private readonly Option<string[]> _flags = new("--reject-flags")
    {
        Description = "Keep no pair with one of these flags.",
        HelpName = "FLAG,FLAG",
        CustomParser = result => [.. result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))],
    };
    private readonly Option<Dictionary<PairAxis, int>> _least = new("--least")
    {
        Description = $"Keep pairs with at least this score, 0 to {PairAxes.Most}, on an axis ('dsd curate axes'): {string.Join(", ", Axes.Keys)}.",
        HelpName = "AXIS=N,AXIS=N",
        CustomParser = Least,
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_confidence);
        command.Options.Add(_flags);
        command.Options.Add(_least);
    }

    /// <summary>The cut; null where none is asked for.</summary>
    public PairCut? Read(ParseResult parsed)
    {
        (double? confidence, string[] flags, Dictionary<PairAxis, int> least) =
            (parsed.GetValue(_confidence), parsed.GetValue(_flags) ?? [], parsed.GetValue(_least) ?? []);
        return confidence is null && flags.Length == 0 && least.Count == 0
            ? null
            : new PairCut { LeastConfidence = confidence, RejectedFlags = flags, Least = least };
    }

    private static Dictionary<PairAxis, int>? Least(ArgumentResult result)
    {
        Dictionary<PairAxis, int> least = [];
        foreach (string text in result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries)))
        {
            if (text.Split('=', 2) is not [string name, string number]
                || !Axes.TryGetValue(name, out PairAxis axis)
                || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int score)
                || score > PairAxes.Most
                || !least.TryAdd(axis, score))
            {
                result.AddError(
                    $"Option '--least' must name axes once each with scores of 0 to {PairAxes.Most}, such as lowest-part=4, out of "
                        + $"{string.Join(", ", Axes.Keys)}, but has '{text}'.");
                return null;
            }
        }
        return least;
    }
}
