using Dsd.Common.Files;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Encoders;

/// <summary>A published encoder as its files describe it, ready to be written as ONNX.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Width">Numbers of an embedding.</param>
/// <param name="Preprocessing">What becomes of a picture before it.</param>
/// <param name="Image">Builds the network for pictures.</param>
internal sealed record PublishedEncoder(EncoderKind Kind, int Width, PicturePreprocessing Preprocessing, Func<CheckpointWeights, GraphBuilder> Image)
{
    private const string ConfigFile = "config.json";

    // What transformers saved before safetensors, read as data here.
    private const string TorchWeights = "pytorch_model.bin";

    /// <summary>What the checkpoint puts before every name. Default nothing.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Which tensors of the checkpoint the graphs ought to use. Null, the default, is all.</summary>
    public Func<string, bool>? Belongs { get; init; }

    /// <summary>The network for texts; null where there is none.</summary>
    public TextTower? Text { get; init; }

    /// <summary>Finds out what lies in a folder, or in a file of weights.</summary>
    /// <param name="fileOrFolder">A model's folder in transformers' layout, or CSD's weights in a folder of their own or as a file.</param>
    /// <param name="options">How it is exported.</param>
    /// <returns>The encoder, and its weights, which the caller disposes.</returns>
    /// <exception cref="WeightsException">It is none of the encoders here, or a file is missing or wrong.</exception>
    /// <exception cref="IOException">There is nothing at the path, or it cannot be read.</exception>
    public static (PublishedEncoder Encoder, ITensorSource Weights) Open(string fileOrFolder, EncoderExportOptions options)
    {
        if (File.Exists(fileOrFolder))
        {
            return Csd(fileOrFolder, options);
        }
        if (!Directory.Exists(fileOrFolder))
        {
            throw new DirectoryNotFoundException($"Encoder '{fileOrFolder}': expected a model's folder or a file of weights, found nothing there.");
        }
        string config = Path.Combine(fileOrFolder, ConfigFile);
        string? type = File.Exists(config) ? ModelFolder.ReadConfigFile<TypeOnly>(config).ModelType : null;
        if (type is not null && options.Heads is not null)
        {
            throw new ArgumentException($"Option {nameof(EncoderExportOptions.Heads)} is for CSD, but '{fileOrFolder}' is a {type}, whose config says it.");
        }
        return type switch
        {
            "clip" => (ClipEncoder.Read(fileOrFolder, config, options), TransformersWeights(fileOrFolder)),
            "vit" => (DinoEncoder.Read(config, options), TransformersWeights(fileOrFolder)),
            "dinov2" => (DinoV2Encoder.Read(fileOrFolder, config, options), TransformersWeights(fileOrFolder)),
            null => Csd(CsdFile(fileOrFolder), options),
            _ => throw new WeightsException(config, "model_type clip, vit (DINO) or dinov2", $"'{type}', which is no encoder that is known here"),
        };
    }

    private static (PublishedEncoder, ITensorSource) Csd(string file, EncoderExportOptions options)
    {
        ITensorSource weights = FileKind.Start(file).AsSpan().StartsWith("PK"u8) ? TorchFile.Open(file) : WeightSource.Open(file);
        try
        {
            return (CsdEncoder.Read(weights, options), weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static ITensorSource TransformersWeights(string folder)
    {
        string torch = Path.Combine(folder, TorchWeights);
        bool hasSafetensors = Directory.EnumerateFiles(folder, "*.safetensors*").Any();
        return !hasSafetensors && File.Exists(torch) ? TorchFile.Open(torch) : WeightSource.Open(folder);
    }

    /// <summary>The one file of weights in a folder without a config; safetensors where there are both kinds.</summary>
    private static string CsdFile(string folder)
    {
        foreach (string[] endings in (string[][])[[".safetensors"], [".pth", ".pt", ".bin"]])
        {
            string[] found = [.. Directory.EnumerateFiles(folder).Where(f => endings.Contains(Path.GetExtension(f))).Order(StringComparer.Ordinal)];
            if (found.Length == 1)
            {
                return found[0];
            }
            if (found.Length > 1)
            {
                throw new WeightsException(
                    folder, "one file of weights", $"{string.Join(", ", found.Take(4).Select(Path.GetFileName))}. Name the file in place of the folder");
            }
        }
        throw new WeightsException(
            folder, $"an encoder: a {ConfigFile} with a model_type beside its weights (CLIP, DINO, DINOv2), or CSD's file of weights (.safetensors, .pth)",
            "neither");
    }

    private sealed record TypeOnly
    {
        public string? ModelType { get; init; }
    }
}

/// <summary>An encoder's network for texts.</summary>
/// <param name="Build">Builds it.</param>
/// <param name="TokenizerFolder">Where its tokenizer lies.</param>
/// <param name="Tokens">Ids of a text.</param>
internal sealed record TextTower(Func<CheckpointWeights, GraphBuilder> Build, string TokenizerFolder, int Tokens);
