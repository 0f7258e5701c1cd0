using System.CommandLine;
using Dsd.Curation.Presets;
using Dsd.Runs.Captions;
using Dsd.Runs.Ledger;
using Dsd.Tiny;

namespace Dsd.Tools.Commands;

/// <summary>The options that say which captions a curation run begins with.</summary>
internal sealed class CaptionOptions
{
    private const int MostOwnCaptions = 10_000;

    private readonly Option<string> _captions = new("--captions")
    {
        Description = "Seed captions: a text file with one a line, or a .jsonl, .json, .csv or .tsv file with 'caption' and perhaps 'key'. 'tiny' "
            + "means captions of the embedded model's world.",
        HelpName = $"FILE|{TinyModel.Name}",
        Required = true,
    };
    private readonly Option<int> _count = new Option<int>("--count")
    {
        Description = "How many captions '--captions tiny' has.",
        HelpName = "N",
        DefaultValueFactory = _ => 16,
    }.Between(1, MostOwnCaptions);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_captions);
        command.Options.Add(_count);
    }

    /// <summary>The captions.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="seed">What a preset's captions follow from.</param>
    /// <exception cref="UsageException">A count was given for captions that a file holds.</exception>
    /// <exception cref="InvalidDataException">The file is no caption file to its end, or holds none.</exception>
    public IEnumerable<SeedCaption> Read(ParseResult parsed, long seed)
    {
        if (Own(parsed) is { } captions)
        {
            return captions(seed).Take(parsed.GetValue(_count)).Select(c => new SeedCaption(c.Key, c.Text));
        }
        if (parsed.GetResult(_count) is { Implicit: false })
        {
            throw new UsageException($"Option '--count' is for '--captions {TinyModel.Name}': of a file all captions are taken.");
        }
        string file = parsed.GetRequiredValue(_captions);
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"There are no captions at '{file}'.", file);
        }
        // Read once to its end, as a wrong line would otherwise show after days of drawing. What a pipe gives comes only once.
        using FileStream stream = File.OpenRead(file);
        return !stream.CanSeek || CaptionFile.Read(file).Count() > 0
            ? CaptionFile.Read(file)
            : throw new InvalidDataException($"Captions '{file}': expected at least one caption, found none.");
    }

    /// <summary>Whether a preset brings the captions, as the embedded model does those of its world, and no file.</summary>
    public bool AreAPresets(ParseResult parsed) => Own(parsed) is not null;

    private Func<long, IEnumerable<(string Key, string Text)>>? Own(ParseResult parsed) => CurationPresets.Find(parsed.GetRequiredValue(_captions))?.Captions;
}
