using System.Text.Json;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Weights;

namespace Dsd.Evaluation.Encoders;

/// <summary>A model's <c>preprocessor_config.json</c>, as transformers of any version writes it. What would be done in another way is refused.</summary>
internal sealed record PreprocessorConfig
{
    public const string FileName = "preprocessor_config.json";
    private const int Bicubic = 3;

    // 1/255 as it is written in single and in double precision.
    private const double Rescale = 1.0 / 255;
    private const double RescaleTolerance = 1e-8;

    public bool DoResize { get; init; } = true;

    public bool DoCenterCrop { get; init; } = true;

    public bool DoNormalize { get; init; } = true;

    public bool DoRescale { get; init; } = true;

    public double RescaleFactor { get; init; } = Rescale;

    public int Resample { get; init; } = Bicubic;

    /// <summary>A number, or <c>shortest_edge</c>, or <c>height</c> and <c>width</c>.</summary>
    public required JsonElement Size { get; init; }

    /// <summary>A number, or <c>height</c> and <c>width</c>.</summary>
    public JsonElement? CropSize { get; init; }

    public required float[] ImageMean { get; init; }

    public required float[] ImageStd { get; init; }

    /// <summary>Reads what a model's folder says of its pictures.</summary>
    /// <exception cref="WeightsException">The file is missing, or asks for what is not done here.</exception>
    public static PicturePreprocessing Read(string folder, Resampling resampling)
    {
        string file = Path.Combine(folder, FileName);
        PreprocessorConfig config = ModelFolder.ReadConfigFile<PreprocessorConfig>(file);
        try
        {
            return config.Preprocessing(resampling);
        }
        catch (ArgumentException e)
        {
            throw new WeightsException(
                file, "preprocessing that is done here: resize with bicubic filter, centre, 1/255, normalise", e.Message.TrimEnd('.'), e);
        }
    }

    private PicturePreprocessing Preprocessing(Resampling resampling)
    {
        if (!DoResize || !DoNormalize || !DoRescale || Resample != Bicubic || Math.Abs(RescaleFactor - Rescale) > RescaleTolerance)
        {
            throw new ArgumentException(
                $"do_resize {DoResize}, do_normalize {DoNormalize}, do_rescale {DoRescale}, resample {Resample}, rescale_factor {RescaleFactor}");
        }
        (int height, int width) = DoCenterCrop
            ? Sides(CropSize ?? throw new ArgumentException("do_center_crop without a crop_size"), "crop_size")
            : Sides(Size, "size");
        PicturePreprocessing made = new()
        {
            ShortestSide = DoCenterCrop ? Shortest(Size) : null,
            Width = width,
            Height = height,
            Resampling = resampling,
            CropRounding = CropRounding.Down,
            Mean = ImageMean,
            Deviation = ImageStd,
        };
        made.Validate();
        return made;
    }

    private static int Shortest(JsonElement size) =>
        size.ValueKind == JsonValueKind.Number ? Side(size, "size")
        : size.ValueKind == JsonValueKind.Object && size.TryGetProperty("shortest_edge", out JsonElement shortest) ? Side(shortest, "size")
        : throw new ArgumentException("do_center_crop with a size that has no shortest_edge");

    private static (int Height, int Width) Sides(JsonElement size, string field)
    {
        if (size.ValueKind == JsonValueKind.Object
            && size.TryGetProperty("height", out JsonElement height)
            && size.TryGetProperty("width", out JsonElement width))
        {
            return (Side(height, field), Side(width, field));
        }
        int side = Side(size, field);
        return (side, side);
    }

    private static int Side(JsonElement side, string field) =>
        side.ValueKind == JsonValueKind.Number && side.TryGetInt32(out int number)
            ? number
            : throw new ArgumentException($"a {field} that is no whole number");
}
