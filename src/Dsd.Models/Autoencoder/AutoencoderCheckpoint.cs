using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Autoencoder;

/// <summary>Loads autoencoders: by diffusers' names, or by those of Black Forest Labs' single files.</summary>
public static class AutoencoderCheckpoint
{
    /// <summary>The autoencoder of a pipeline's folder.</summary>
    /// <param name="folder">The folder, with a component <c>vae</c>.</param>
    /// <param name="options">Device, type, tiles, and perhaps another file for the weights. A model that does not stay on the device has its
    /// autoencoder on the host.</param>
    /// <exception cref="WeightsException">The config or the weights are missing or wrong, or do not fit together.</exception>
    /// <exception cref="ArgumentException">The config contradicts itself.</exception>
    public static AutoencoderKL Load(ModelFolder folder, PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        VaeConfig config = folder.ReadConfig<VaeConfig>("vae", classNames: "AutoencoderKL");
        config.Validate();
        using WeightSource weights = WeightSource.Open(options.VaeFile ?? folder.ComponentFolder("vae"));
        VaeSingleFile? single = VaeSingleFile.Of(weights, config);
        string prefix = single?.Prefix ?? "";
        weights.Expect($"{prefix}encoder.conv_in.weight", "first of block_out_channels, in_channels", config.BlockOutChannels[0], config.InChannels, 3, 3);
        weights.Expect(
            $"{prefix}decoder.conv_in.weight", "last of block_out_channels, latent_channels", config.BlockOutChannels[^1], config.LatentChannels, 3, 3);
        using DisposeScope scope = NewDisposeScope();
        AutoencoderKL vae = WeightLoader.Kept(new AutoencoderKL(config, options.EncodersWait ? CPU : options.Device, options.WideType));
        try
        {
            if (single is null)
            {
                WeightLoader.Load(vae, weights);
            }
            else
            {
                single.Load(vae);
            }
            vae.TileSide = options.VaeTileSide;
            return vae;
        }
        catch
        {
            vae.Dispose();
            throw;
        }
    }
}
