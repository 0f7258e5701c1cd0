using System.Globalization;
using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Runs;

namespace Dsd.Tools.Curate;

/// <summary>Draws a run's grids with a text-to-image model, which it takes over and disposes.</summary>
internal sealed class GridTeacher(ITextToImageModel teacher, string model, TextToImageOptions options) : IGridTeacher, IDisposable
{
    /// <summary>The model with what else its pictures depend on.</summary>
    public string Name { get; } = NameOf(model, options);

    public static string NameOf(string model, TextToImageOptions options) =>
        string.Create(CultureInfo.InvariantCulture,
            $"{model} {options.Width}x{options.Height} {options.Steps} steps guidance "
                + $"{options.Guidance}{(options.BlockCache > 0 ? $" block cache {options.BlockCache}" : "")}");

    public IReadOnlyList<Picture> Draw(IReadOnlyList<(string Text, long Seed)> grids, CancellationToken cancellationToken) =>
        teacher.Generate([.. grids.Select(s => new TextToImageRequest(s.Text, s.Seed))], options, null, cancellationToken);

    public void Dispose() => teacher.Dispose();
}
