using Dsd.Evaluation.Networks;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Weights;

namespace Dsd.Evaluation.Encoders;

/// <summary>CSD's checkpoint, which no config lies beside: all sizes but the number of heads are read from the shapes of its tensors.</summary>
internal static class CsdEncoder
{
    private const int ChannelsOfAHead = 64;
    private const int MostLayers = 1024;
    private const float Epsilon = 1e-5f;

    // CLIP's.
    private static readonly float[] Mean = [0.48145466f, 0.4578275f, 0.40821073f];
    private static readonly float[] Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    /// <summary>Reads and checks what a checkpoint holds.</summary>
    public static PublishedEncoder Read(ITensorSource weights, EncoderExportOptions options)
    {
        string[] heads = [.. weights.Names.Where(n => n == CsdNetwork.StyleHead || n.EndsWith($".{CsdNetwork.StyleHead}", StringComparison.Ordinal))];
        if (heads.Length != 1)
        {
            throw new WeightsException(
                weights.Path, $"CSD's weights, with one tensor '{CsdNetwork.StyleHead}'",
                heads.Length == 0 ? $"{weights.Names.Count} tensors, none of them it" : string.Join(", ", heads.Take(4)));
        }
        // Training code puts 'module.' before every name, and the weights beside other things.
        string prefix = heads[0][..^CsdNetwork.StyleHead.Length];
        long[] head = Sides(CsdNetwork.StyleHead, 2);
        long[] kernel = Sides("backbone.conv1.weight", 4);
        long[] table = Sides("backbone.positional_embedding", 2);
        long[] inner = Sides("backbone.transformer.resblocks.0.mlp.c_fc.weight", 2);
        int layers = Enumerable.Range(0, MostLayers).TakeWhile(i => weights.Contains($"{prefix}backbone.transformer.resblocks.{i}.ln_1.weight")).Count();
        (int width, int style, int patch) = ((int)head[0], (int)head[1], (int)kernel[2]);
        int side = (int)Math.Round(Math.Sqrt(table[0] - 1.0));
        int pixels = patch * side;
        if (table[0] != 1 + (long)side * side || pixels is < 1 or > 4096)
        {
            throw new WeightsException(
                weights.Path, "a position table with a row for the class token and one for each patch of a square of at most 4096 pixels",
                $"{table[0]} rows for patches of {patch}");
        }
        int count = options.Heads ?? width / ChannelsOfAHead;
        if (count == 0 || width % count != 0)
        {
            throw new WeightsException(
                weights.Path, $"a width that {(options.Heads is null ? $"attention heads of {ChannelsOfAHead} channels" : $"{count} attention heads")} divide",
                $"{width}. Say how many heads there are, in {nameof(EncoderExportOptions.Heads)} or with '--heads'");
        }
        PicturePreprocessing pictures = new()
        {
            Width = pixels,
            Height = pixels,
            Resampling = options.Resampling ?? Resampling.TorchvisionFloats,
            Mean = Mean,
            Deviation = Deviation,
        };
        VisionShape shape = new(width, (int)inner[0], layers, count, patch, side, pixels, pixels, Epsilon);
        return new PublishedEncoder(EncoderKind.Csd, style, pictures, account => CsdNetwork.Build(shape, style, account))
        {
            Prefix = prefix,
            Belongs = name => name.StartsWith(prefix, StringComparison.Ordinal)
                && !name.AsSpan(prefix.Length).StartsWith(CsdNetwork.ContentHead, StringComparison.Ordinal),
        };

        long[] Sides(string name, int count)
        {
            TensorEntry entry = weights.Entry(prefix + name);
            return entry.Shape.Length == count && entry.Shape.All(s => s is > 0 and <= 65_536)
                ? entry.Shape
                : throw new WeightsException(weights.Path, $"'{prefix}{name}' with {count} sides of 1 to 65536", $"{entry}");
        }
    }
}
