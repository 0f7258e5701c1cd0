using Dsd.Common.Options;
using Dsd.Models.Sampling;
using Dsd.Models.Training;

namespace Dsd.Models.Families;

/// <summary>A model under a short name, and how it is drawn with and trained best. What is left out is what any pipeline's folder gets.</summary>
/// <remarks><see cref="ModelPresets"/> knows them by name. How grids of such a model are asked for is a preset of its own, in Dsd.Curation.</remarks>
public sealed record ModelPreset
{
    /// <summary>The name that stands for the model where a folder is asked for. It goes before a folder that is called the same.</summary>
    public required string Name { get; init => field = OptionCheck.Text(value, nameof(Name)); }

    /// <summary>The pipeline's folder in diffusers' layout. It need not be there before the model is used.</summary>
    public required string Folder { get; init => field = OptionCheck.Text(value, nameof(Folder)); }

    /// <summary>The adapter's file that makes the model take a reference, for callers that name none. Null, the default, is none.</summary>
    public string? AdapterFile { get; init => field = OptionCheck.TextOrNull(value, nameof(AdapterFile)); }

    /// <summary>
    /// How one panel of a grid is drawn from text: a grid is as many times as wide and high as it has columns and rows. Null, the default, is a model
    /// that draws a grid of any layout as a picture of its usual size.
    /// </summary>
    public TextToImageOptions? Panel { get; init; }

    /// <summary>How a frame is drawn from a reference; its size is that of a single picture from text too. Default 512 × 512 pixels.</summary>
    public DsdOptions Frame { get; init => field = value ?? throw new ArgumentNullException(nameof(Frame)); } = new();

    /// <summary>How an adapter is trained. Default 512 × 512 pixels and 1000 steps.</summary>
    public LoraTrainingOptions Training { get; init => field = value ?? throw new ArgumentNullException(nameof(Training)); } = new();

    /// <summary>How a grid is drawn: <see cref="Panel"/>, times rows and columns, or the ordinary picture of 1024 × 1024 pixels.</summary>
    /// <param name="rows">Panels one above the other, at least 1.</param>
    /// <param name="columns">Panels side by side, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The grid would have sides that no picture may have.</exception>
    public TextToImageOptions Grid(int rows, int columns) => Panel is { } panel
        ? panel with { Width = panel.Width * columns, Height = panel.Height * rows }
        : new TextToImageOptions();
}
