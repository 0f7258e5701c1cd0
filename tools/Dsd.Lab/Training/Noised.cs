using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Latents on their way to noise, with the velocity that a model should find.</summary>
/// <param name="Latents">[batch, tokens, channels].</param>
/// <param name="Sigma">The noise level of the panels that learn, which is the model's time: [batch].</param>
/// <param name="Velocity">[batch, tokens, channels]; without meaning where a panel is held.</param>
/// <param name="Weight">
/// Weights of the tokens' losses [batch, tokens, 1], 1 on average, 0 in held panels, more where a token tells of its subject; null where all learn alike.
/// </param>
/// <param name="Alike">The latents with no panel held: all carry the step's noise.</param>
internal sealed record Noised(Tensor Latents, Tensor Sigma, Tensor Velocity, Tensor? Weight, Tensor Alike)
{
    /// <summary>Noise, noise levels and held panels decided by seed and step alone.</summary>
    public static Noised Draw(LatentPool.Batch batch, InContextConfig config, long seed, long step)
    {
        Tensor latents = batch.Latents;
        random.manual_seed(seed * 1_000_003 + step);
        Tensor noise = randn_like(latents);
        double mu = FlowMatchEulerScheduler.Mu(TinyFiles.Schedule, (int)latents.shape[1]);
        float[] levels = FlowMatching.Sigmas(randn(latents.shape[0]).data<float>().ToArray(), mu);
        for (int i = 0; i < levels.Length && config.NoiseShift > 0; i++)
        {
            levels[i] = batch.InContext[i] ? (float)FlowMatching.Shift(levels[i], config.NoiseShift) : levels[i];
        }
        Tensor sigma = tensor(levels, device: latents.device);
        HeldPanels held = HeldPanels.Draw(config, batch.InContext, batch.Panels, seed, step);
        Tensor? detail = batch.Detail?.unsqueeze(-1); // [batch, tokens, 1]
        Tensor alike = FlowMatching.Interpolate(latents, noise, sigma);
        if (!held.Any)
        {
            return new Noised(alike, sigma, FlowMatching.Velocity(latents, noise), detail, alike);
        }
        Tensor shares = OfTokens(held.NoiseShares);
        // A held panel is encoded alone, as a reference is: beside the others, the encoder would mix a little of them into it.
        Tensor clean = where(shares.less(1), batch.Alone!, latents);
        Tensor level = sigma.reshape(-1, 1, 1) * shares;
        Tensor weight = OfTokens(held.Weights());
        return new Noised(
            ((-level).Plus(1) * clean).Plus(level * noise), sigma, FlowMatching.Velocity(latents, noise), detail is null ? weight : weight * detail, alike);

        Tensor OfTokens(float[] ofPanels) =>
            tensor(ofPanels, [levels.Length, batch.Panels], device: latents.device).index_select(1, batch.PanelOfToken).unsqueeze(-1); // [batch, tokens, 1]
    }

    /// <summary>Numbers in 0…1 from the same stream.</summary>
    public Tensor Uniform(int count) => rand(count, device: Latents.device);

    /// <summary>The mean squared error of the tokens that learn, a scalar in float32.</summary>
    /// <param name="predicted">[batch, tokens, channels].</param>
    /// <param name="target">[batch, tokens, channels].</param>
    /// <param name="weight">A share of <see cref="Weight"/>, or null.</param>
    public static Tensor Loss(Tensor predicted, Tensor target, Tensor? weight)
    {
        if (weight is null)
        {
            return FlowMatching.Loss(predicted, target);
        }
        using DisposeScope scope = NewDisposeScope();
        return ((predicted.to(ScalarType.Float32) - target.to(ScalarType.Float32)).Squared() * weight).mean().MoveToOuterDisposeScope();
    }
}
