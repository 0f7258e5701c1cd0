using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dsd.Common.Files;
using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using static TorchSharp.torch;

namespace Dsd.Models.Benchmark;

/// <summary>Pipelines of any size with random weights, on disk in diffusers' layout: for benchmarks of what reads files.</summary>
public static class RandomModel
{
    private const string Weights = "diffusion_pytorch_model.safetensors";
    private const string TextWeights = "model.safetensors";
    private const int BlockElements = 1 << 20;
    private const int FluxTextTokens = 512;
    private static readonly JsonSerializerOptions Snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>Writes a pipeline folder, weights in bfloat16. It appears whole or not at all.</summary>
    /// <remarks>
    /// Numbers come from one block of normal ones that repeats, scaled to what each layer can take, so that they are made as fast as a disk writes. The same
    /// shape gives the same bytes. Memory is bounded by the autoencoder, which TorchSharp builds in single precision before it is made a mere shape: 0.4 GB
    /// at FLUX.1-dev's size.
    /// </remarks>
    /// <param name="folder">The folder, absent or empty.</param>
    /// <param name="shape">The networks.</param>
    /// <param name="like">
    /// A pipeline folder whose tokenizers and schedule are copied; their vocabularies must be within the shape's. T5's may give 512 tokens, as FLUX's does.
    /// </param>
    /// <param name="cancellationToken">Checked after each million numbers.</param>
    /// <param name="progress">Told the name of each part before it is written.</param>
    /// <exception cref="ArgumentException">The shape contradicts itself.</exception>
    /// <exception cref="WeightsException">The other pipeline lacks something.</exception>
    /// <exception cref="IOException">The folder holds something, or cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The writing was cancelled; nothing is left of it.</exception>
    public static void Write(
        string folder, RandomModelShape shape, string like, CancellationToken cancellationToken = default, IProgress<string>? progress = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(shape);
        ModelFolder other = ModelFolder.Open(like);
        ClipTextConfig clip = shape.Clip with { EosTokenId = other.ReadConfig<ClipTextConfig>("text_encoder").EosTokenId };
        float[] normal = Noise.Normal(0, BlockElements - 1);
        ushort[] narrow = new ushort[normal.Length];
        AtomicFolder.Write(
            folder,
            mayReplace: there => throw new IOException($"Cannot write a model into '{there}': it is not empty. Choose an empty or new folder."),
            fill: half =>
            {
                File.Copy(other.IndexFile, Path.Combine(half, Path.GetFileName(other.IndexFile)));
                foreach (string part in new[] { "tokenizer", "tokenizer_2", "scheduler" })
                {
                    Directory.CreateDirectory(Path.Combine(half, part));
                    foreach (string file in Directory.EnumerateFiles(other.ComponentFolder(part)))
                    {
                        File.Copy(file, Path.Combine(half, part, Path.GetFileName(file)));
                    }
                }
                AllowFluxTokens(Path.Combine(half, "tokenizer_2", "tokenizer_config.json"));
                using (FluxTransformer transformer = new(shape.Transformer, new WeightPlaces(META, META), ScalarType.BFloat16))
                {
                    Save("transformer", Weights, transformer, Config(shape.Transformer, shape.Transformer.ClassName));
                }
                using (AutoencoderKL vae = new(shape.Vae, META, ScalarType.BFloat16))
                {
                    JsonObject config = Config(shape.Vae, "AutoencoderKL");
                    config.Remove("factor");
                    Save("vae", Weights, vae, config);
                }
                using (ClipTextModel encoder = ClipTextModel.Uninitialized(clip, META, ScalarType.BFloat16))
                {
                    Save("text_encoder", TextWeights, encoder, TextConfig(clip, ClipTextConfig.ClassName));
                }
                using (T5Encoder encoder = T5Encoder.Uninitialized(shape.T5, META, ScalarType.BFloat16))
                {
                    Save("text_encoder_2", TextWeights, encoder, TextConfig(shape.T5, T5Config.ClassName));
                }

                void Save(string component, string file, nn.Module module, JsonObject config)
                {
                    progress?.Report(component);
                    string place = Directory.CreateDirectory(Path.Combine(half, component)).FullName;
                    File.WriteAllText(Path.Combine(place, "config.json"), config.ToJsonString(Snake));
                    SafetensorsWriter.Write(
                        Path.Combine(place, file), module.state_dict(),
                        (name, tensor, stream) => Draw(name, tensor.shape, normal, narrow, stream, cancellationToken));
                }
            });
    }

    /// <summary>Writes a tensor's numbers in bfloat16: small enough that no stream overflows its type over many blocks, weights of norms near one.</summary>
    /// <param name="name">Its name, by which its numbers begin elsewhere in the block.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="normal">Normal numbers, which repeat.</param>
    /// <param name="narrow">Room for as many.</param>
    /// <param name="stream">Where to write.</param>
    /// <param name="cancellationToken">Checked after each block.</param>
    private static void Draw(string name, long[] shape, float[] normal, ushort[] narrow, Stream stream, CancellationToken cancellationToken)
    {
        (float mean, float deviation) = (shape.Length, name.EndsWith("bias", StringComparison.Ordinal)) switch
        {
            (1, true) => (0f, 0.02f),
            (1, false) => (1f, 0.1f),
            _ => (0f, 0.5f / MathF.Sqrt(shape.Skip(1).Aggregate(1L, (product, side) => product * side))),
        };
        long count = shape.Aggregate(1L, (product, side) => product * side);
        int start = (int)(name.Aggregate(17u, (hash, c) => 31 * hash + c) % (uint)normal.Length);
        while (count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int piece = (int)Math.Min(count, normal.Length - start);
            for (int i = 0; i < piece; i++)
            {
                narrow[i] = (ushort)(BitConverter.SingleToUInt32Bits(mean + deviation * normal[start + i]) >> 16);
            }
            stream.Write(MemoryMarshal.AsBytes(narrow.AsSpan(0, piece)));
            (start, count) = (0, count - piece);
        }
    }

    private static void AllowFluxTokens(string tokenizerConfig)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(tokenizerConfig))!.AsObject();
        config["model_max_length"] = FluxTextTokens;
        File.WriteAllText(tokenizerConfig, config.ToJsonString(Snake));
    }

    private static JsonObject Config<T>(T config, string className)
    {
        JsonObject json = JsonSerializer.SerializeToNode(config, Snake)!.AsObject();
        json["_class_name"] = className;
        return json;
    }

    private static JsonObject TextConfig<T>(T config, string architecture)
    {
        JsonObject json = JsonSerializer.SerializeToNode(config, Snake)!.AsObject();
        json["architectures"] = new JsonArray(architecture);
        return json;
    }
}
