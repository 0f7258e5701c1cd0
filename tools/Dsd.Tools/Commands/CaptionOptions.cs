using System.CommandLine;
using Dsd.Dataset.Ledger;
using Dsd.Dataset.Runs;
using Dsd.Tiny;
using Dsd.Tools.Curate;

namespace Dsd.Tools.Commands;

/// <summary>The options that say which captions a curation run begins with.</summary>
internal sealed class CaptionOptions
{
    private const int MostWorldCaptions = 10_000;

    private readonly Option<string> _captions = new("--captions") { Description = "Seed captions: a text file with one a line, or a .jsonl file with 'caption' and perhaps 'key'. 'tiny' stands for captions of the embedded model's world.", HelpName = $"FILE|{TinyModel.Name}", Required = true };
    private readonly Option<int> _count = new Option<int>("--count") { Description = "How many captions '--captions tiny' has.", HelpName = "N", DefaultValueFactory = _ => 16 }.Between(1, MostWorldCaptions);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_captions);
        command.Options.Add(_count);
    }

    /// <summary>The captions.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="seed">What captions of the embedded model's world follow from.</param>
    public IEnumerable<SeedCaption> Read(ParseResult parsed, long seed) => parsed.GetRequiredValue(_captions) is var file && file == TinyModel.Name
        ? WorldCaptions.Of(seed, parsed.GetValue(_count))
        : File.Exists(file) ? CaptionFile.Read(file) : throw new FileNotFoundException($"There are no captions at '{file}'.", file);
}
