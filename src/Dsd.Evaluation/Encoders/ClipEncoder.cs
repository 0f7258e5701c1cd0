using Dsd.Evaluation.Networks;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Text;
using Dsd.Models.Weights;

namespace Dsd.Evaluation.Encoders;

/// <summary>CLIP in transformers' layout: <c>config.json</c>, <c>preprocessor_config.json</c>, a tokenizer and the weights in one folder.</summary>
internal static class ClipEncoder
{
    /// <summary>Reads and checks what a folder says.</summary>
    public static PublishedEncoder Read(string folder, string configFile, EncoderExportOptions options)
    {
        ClipConfig config = ModelFolder.ReadConfigFile<ClipConfig>(configFile);
        PicturePreprocessing pictures = PreprocessorConfig.Read(folder, options.Resampling ?? Resampling.TorchvisionBytes);
        int side = config.VisionConfig.ImageSize;
        if (pictures.Width != side || pictures.Height != side)
        {
            throw new WeightsException(
                Path.Combine(folder, PreprocessorConfig.FileName), $"pictures of {side} × {side}, as the config's image_size says",
                $"{pictures.Width} × {pictures.Height}");
        }
        ClipTokenizer tokenizer = ClipTokenizer.Load(folder);
        if (tokenizer.VocabularySize > config.TextConfig.VocabSize)
        {
            throw new WeightsException(
                folder, $"a tokenizer with at most {config.TextConfig.VocabSize} ids, as the config says", $"{tokenizer.VocabularySize}");
        }
        int tokens = config.TextConfig.MaxPositionEmbeddings;
        if (tokenizer.MaxLength < tokens)
        {
            throw new WeightsException(folder, $"a tokenizer for texts of {tokens} ids, as the config says", $"one for {tokenizer.MaxLength}");
        }
        VisionShape shape = config.VisionConfig.Shape(configFile, side, side);
        return new PublishedEncoder(
            EncoderKind.Clip, config.ProjectionDim, pictures,
            weights => ClipImageNetwork.Build(shape, config.VisionConfig.HiddenAct, config.ProjectionDim, weights))
        {
            Text = new TextTower(weights => ClipTextNetwork.Build(config.TextConfig, config.ProjectionDim, weights), folder, tokens),
            // The temperature of training, and the numbers 0, 1, 2 … that older versions saved.
            Belongs = name => name != "logit_scale" && !name.EndsWith(".position_ids", StringComparison.Ordinal),
        };
    }
}
