using System.Security.Cryptography;
using System.Text;
using Dsd.Models.Families;
using Dsd.Models.Sampling;

namespace Dsd.Models.Training.Cache;

/// <summary>Works out the keys of what a model's encoders give.</summary>
/// <param name="model">The model.</param>
/// <param name="maxTextTokens">Text tokens of a prompt. Null is what the model says.</param>
internal sealed class CacheKeys(DiffusionModel model, int? maxTextTokens)
{
    // How pictures are cut and scaled is a part of the key: a change of Picture.CropToFit or TwoFrames.Compose makes this another word.
    private const string Cut = "centre cut, Skia, 1";

    private readonly string _canvas = $"{Cut}\n{model.Identity.Autoencoder}\n{model.Vae.DType}\n{model.Vae.TileSide}\n";
    private readonly string _prompt = $"{model.Identity.Text}\n{maxTextTokens}\n";

    /// <summary>The key of a canvas' latents.</summary>
    /// <param name="frames">Size and order of the frames.</param>
    /// <param name="reference">The hash of the picture in the first frame.</param>
    /// <param name="target">That of the picture in the second, or nothing for black.</param>
    public CacheKey Canvas(TwoFrames frames, ReadOnlySpan<byte> reference, ReadOnlySpan<byte> target = default) =>
        Of($"canvas\n{_canvas}{frames.Width} {frames.Height} {frames.Order}\n", reference, target);

    /// <summary>The key of a prompt's embedding.</summary>
    public CacheKey Prompt(string prompt) => Of($"prompt\n{_prompt}", Encoding.UTF8.GetBytes(prompt), default);

    private static CacheKey Of(string how, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{DiskCache.Format}\n{how}"));
        hash.AppendData(first);
        hash.AppendData(second);
        return CacheKey.Of(hash.GetHashAndReset());
    }
}
