using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests;

/// <summary>The pipeline of most who work with images: file names, <c>LoadImages</c>, <c>ResizeImages</c>.</summary>
internal static class ImageFiles
{
    /// <summary>
    /// The rows of <see cref="SampleInput"/> with images from files, resized to the size that they have already: ML.NET then hands out the loaded
    /// image itself, and disposes it with the next row.
    /// </summary>
    public static IDataView Of(MLContext ml, string kind, string folder)
    {
        (string Column, int Width, int Seed)[] images = kind switch
        {
            "grids" => [("Grid", 64, 0)],
            "pairs" => [("Reference", 32, 0), ("Target", 32, 100)],
            "references" => [("Reference", 32, 0)],
            _ => [],
        };
        IDataView view = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 3).Select(i => new FileRow
        {
            Number = i,
            Caption = kind == "captions" ? $"a fox number {i}" : $"caption {i}",
            PanelCaptions = ["panel 0", "panel 1", "panel 2", "panel 3"],
            Prompt = $"prompt {i}",
            Kept = i != 1,
            GridFile = Write(folder, "Grid", i, 64, i),
            ReferenceFile = Write(folder, "Reference", i, 32, i),
            TargetFile = Write(folder, "Target", i, 32, i + 100),
        }).ToArray());
        foreach ((string column, int width, _) in images)
        {
            view = ml.Transforms.LoadImages(column, folder, $"{column}File").Append(ml.Transforms.ResizeImages(column, width, 32)).Fit(view).Transform(view);
        }
        return view;
    }

    private static string Write(string folder, string column, int row, int width, int seed)
    {
        string name = $"{column}{row}.png";
        using MLImage image = SampleInput.Image(seed, width, 32);
        MLImages.ToPicture(image, name).Save(Path.Combine(folder, name));
        return name;
    }

    public sealed class FileRow
    {
        public float Number { get; set; }

        public string Caption { get; set; } = "";

        public string[] PanelCaptions { get; set; } = [];

        public string Prompt { get; set; } = "";

        public bool Kept { get; set; }

        public string GridFile { get; set; } = "";

        public string ReferenceFile { get; set; } = "";

        public string TargetFile { get; set; } = "";
    }
}
