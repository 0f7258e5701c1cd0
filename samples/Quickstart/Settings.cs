namespace Quickstart;

/// <summary>How much the run does, and where it writes.</summary>
internal sealed record Settings
{
    /// <summary>The folder for pictures, models and the report.</summary>
    public string Out { get; init; } = Path.Combine("artifacts", "quickstart");

    /// <summary>Grids that the teacher draws, at most one for each of <see cref="Subjects.Captions"/>; each is a pair of panels.</summary>
    public int Grids { get; init; } = 24;

    /// <summary>Sampling steps of a grid.</summary>
    public int GridSteps { get; init; } = 24;

    /// <summary>Optimiser steps of the fine-tuning.</summary>
    public int TrainingSteps { get; init; } = 100;

    /// <summary>Subjects that the model has never seen.</summary>
    public int References { get; init; } = 5;

    /// <summary>Sampling steps of a picture.</summary>
    public int PictureSteps { get; init; } = 24;

    /// <summary>Decides every random number of the run.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Reads <c>--out FOLDER</c> and <c>--brief</c>, a run of a few seconds whose pictures are worth nothing.</summary>
    public static bool TryRead(string[] args, out Settings settings, out string usage)
    {
        settings = new Settings();
        usage = "Usage: Quickstart [--out FOLDER] [--brief]";
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--out" && i + 1 < args.Length)
            {
                settings = settings with { Out = args[++i] };
            }
            else if (args[i] == "--brief")
            {
                settings = settings with { Grids = 8, GridSteps = 16, TrainingSteps = 3, References = 1, PictureSteps = 4 };
            }
            else
            {
                return false;
            }
        }
        return true;
    }
}
