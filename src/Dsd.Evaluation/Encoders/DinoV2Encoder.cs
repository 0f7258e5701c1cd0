using Dsd.Evaluation.Networks;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Weights;

namespace Dsd.Evaluation.Encoders;

/// <summary>DINOv2 in transformers' layout: <c>config.json</c>, <c>preprocessor_config.json</c> and the weights.</summary>
internal static class DinoV2Encoder
{
    /// <summary>Reads and checks what a folder says.</summary>
    public static PublishedEncoder Read(string folder, string configFile, EncoderExportOptions options)
    {
        DinoV2Config config = ModelFolder.ReadConfigFile<DinoV2Config>(configFile);
        PicturePreprocessing pictures = PreprocessorConfig.Read(folder, options.Resampling ?? Resampling.TorchvisionBytes);
        VisionShape shape = config.Shape(configFile, pictures.Width, pictures.Height);
        return new PublishedEncoder(
            EncoderKind.DinoV2, config.HiddenSize, pictures,
            weights => DinoV2Network.Build(shape, config.HiddenAct, config.QkvBias, config.UseSwigluFfn, weights))
        {
            // What stood for hidden patches in training.
            Belongs = name => name != "embeddings.mask_token",
        };
    }
}
