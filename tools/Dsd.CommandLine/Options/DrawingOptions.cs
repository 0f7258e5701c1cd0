using System.CommandLine;
using Dsd.Imaging;
using Dsd.Models.Sampling;

namespace Dsd.CommandLine.Options;

/// <summary>The options that every command that draws pictures has, and what is done with them.</summary>
public sealed class DrawingOptions
{
    private readonly Option<string> _prompt = new("--prompt")
    {
        Description = "What to draw. Empty only where \"\" is said.",
        HelpName = "TEXT",
        Required = true,
    };
    private readonly Option<long> _seed = new("--seed")
    {
        Description = "Where the noise starts; 0 if left out. More pictures take the seeds after it.",
        HelpName = "N",
    };
    private readonly Option<string> _file = new("--out")
    {
        Description = "The PNG file to write. More than one picture: the seed is put before '.png'.",
        HelpName = "FILE.png",
        Required = true,
    };
    private readonly Option<int> _count = new Option<int>("--count")
    {
        Description = "How many pictures, 1 to 1000.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    }.Between(1, 1000);
    private readonly Option<int?> _steps = new("--steps") { Description = "Euler steps; 28 if left out.", HelpName = "N" };
    private readonly Option<float?> _guidance = new("--guidance")
    {
        Description = "Distilled guidance, for models that take it; 3.5 if left out.",
        HelpName = "X",
    };
    private readonly Option<PictureSize?> _size;

    /// <summary>The options.</summary>
    /// <param name="sizeDescription">What <c>--size</c> is the size of, and its default.</param>
    public DrawingOptions(string sizeDescription) => _size = PictureSize.Option(sizeDescription);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _prompt, _seed, _file, _count, _steps, _guidance, _size })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The prompt.</summary>
    public string Prompt(ParseResult parsed) => parsed.GetRequiredValue(_prompt);

    /// <summary>The distilled guidance, where it was given.</summary>
    public float? Guidance(ParseResult parsed) => parsed.GetValue(_guidance);

    /// <summary>Options for pictures from text.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="width">Width where none was given.</param>
    /// <param name="height">Height where none was given.</param>
    public TextToImageOptions TextToImage(ParseResult parsed, int width, int height) => CheckedOptions.Build(() =>
    {
        TextToImageOptions defaults = new();
        PictureSize size = parsed.GetValue(_size) ?? new PictureSize(width, height);
        return new TextToImageOptions
        {
            Width = size.Width,
            Height = size.Height,
            Steps = parsed.GetValue(_steps) ?? defaults.Steps,
            Guidance = parsed.GetValue(_guidance) ?? defaults.Guidance,
        };
    });

    /// <summary>Options for pictures from a reference, true guidance left at its default: see <see cref="TextToImage"/>.</summary>
    public DsdOptions Dsd(ParseResult parsed, int width, int height) => CheckedOptions.Build(() =>
    {
        TextToImageOptions same = TextToImage(parsed, width, height);
        return new DsdOptions { Width = same.Width, Height = same.Height, Steps = same.Steps, Guidance = same.Guidance };
    });

    /// <summary>The files to write, with the seed of each.</summary>
    /// <exception cref="UsageException">The path is no PNG's, or the seeds run over.</exception>
    /// <exception cref="IOException">Nothing can be written there.</exception>
    public (string File, long Seed)[] Files(ParseResult parsed)
    {
        (string path, long seed, int count) = (parsed.GetRequiredValue(_file), parsed.GetValue(_seed), parsed.GetValue(_count));
        if (seed > long.MaxValue - count)
        {
            throw new UsageException($"Option '--seed' leaves no room for {count} seeds after {seed}.");
        }
        (string File, long Seed)[] files = count == 1
            ? [(path, seed)]
            : [.. Enumerable.Range(0, count).Select(i => (Path.ChangeExtension(path, $".{seed + i}{Path.GetExtension(path)}"), seed + i))];
        foreach ((string file, _) in files)
        {
            OutputFile.CheckPicture(file);
        }
        return files;
    }

    /// <summary>Draws the pictures one after another and writes each when it is done.</summary>
    public static void Draw(Terminal terminal, (string File, long Seed)[] files, Func<long, IProgress<SamplingProgress>, Picture> draw)
    {
        terminal.Track("drawing", stages =>
        {
            for (int i = 0; i < files.Length; i++)
            {
                draw(files[i].Seed, new Steps(stages, i, files.Length)).Save(files[i].File);
            }
        });
        foreach ((string file, _) in files)
        {
            terminal.Output.WriteLine(file);
        }
    }

    private sealed class Steps(IProgress<Stage> stages, int picture, int pictures) : IProgress<SamplingProgress>
    {
        public void Report(SamplingProgress value)
        {
            string text = $"step {value.Step} of {value.Steps}";
            stages.Report(new Stage(
                pictures == 1 ? text : $"picture {picture + 1} of {pictures}, {text}", (picture + (double)value.Step / value.Steps) / pictures));
        }
    }
}
