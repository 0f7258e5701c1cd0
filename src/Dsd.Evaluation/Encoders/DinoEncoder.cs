using Dsd.Evaluation.Networks;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Weights;

namespace Dsd.Evaluation.Encoders;

/// <summary>DINO of 2021 as transformers keeps it: <c>config.json</c> of a <c>ViTModel</c> and the weights.</summary>
/// <remarks>
/// Its <c>preprocessor_config.json</c>, where there is one, is not read: it squeezes the whole picture to 224 × 224, while DINO's own code and the benchmarks
/// scale the shortest side to 256 and take the middle.
/// </remarks>
internal static class DinoEncoder
{
    private const int Shortest = 256;
    private const int Side = 224;

    // ImageNet's.
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Deviation = [0.229f, 0.224f, 0.225f];

    /// <summary>Reads and checks what a config says.</summary>
    public static PublishedEncoder Read(string configFile, EncoderExportOptions options)
    {
        DinoConfig config = ModelFolder.ReadConfigFile<DinoConfig>(configFile);
        VisionShape shape = config.Shape(configFile, Side, Side);
        PicturePreprocessing pictures = new()
        {
            ShortestSide = Shortest,
            Width = Side,
            Height = Side,
            Resampling = options.Resampling ?? Resampling.Pillow,
            CropRounding = CropRounding.Even,
            Mean = Mean,
            Deviation = Deviation,
        };
        return new PublishedEncoder(
            EncoderKind.Dino, config.HiddenSize, pictures,
            weights => DinoNetwork.Build(shape, config.HiddenAct, config.QkvBias, weights))
        {
            // A layer that was never trained, which transformers adds.
            Belongs = name => !name.StartsWith("pooler.", StringComparison.Ordinal),
        };
    }
}
