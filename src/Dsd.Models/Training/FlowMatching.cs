using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>The training target of FLUX: straight lines between data and noise.</summary>
public static class FlowMatching
{
    /// <summary>A point between data and noise: <c>x_t = (1 − σ)·x_0 + σ·noise</c>.</summary>
    /// <param name="latent">Data, [batch, …].</param>
    /// <param name="noise">Standard normal noise of the same shape.</param>
    /// <param name="sigma">Noise levels in 0…1, [batch].</param>
    public static Tensor Interpolate(Tensor latent, Tensor noise, Tensor sigma)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor s = sigma.reshape([sigma.shape[0], .. Enumerable.Repeat(1L, (int)latent.dim() - 1)]).to(latent.dtype);
        return ((-s).Plus(1) * latent).Plus(s * noise).MoveToOuterDisposeScope();
    }

    /// <summary>The velocity along the line, which the model learns: <c>noise − x_0</c>.</summary>
    public static Tensor Velocity(Tensor latent, Tensor noise) => noise - latent;

    /// <summary>Mean squared error in 32-bit precision, a scalar.</summary>
    /// <param name="predicted">What the model said, any precision.</param>
    /// <param name="target">What it should have said, the same shape.</param>
    public static Tensor Loss(Tensor predicted, Tensor target)
    {
        using DisposeScope scope = NewDisposeScope();
        return nn.functional.mse_loss(predicted.to(ScalarType.Float32), target.to(ScalarType.Float32)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Noise levels for a training batch: logit-normal, then moved towards noise by the schedule's shift, so that training spends its
    /// time where sampling does (Esser et al. 2024, section 3.1).
    /// </summary>
    /// <param name="normal">Standard normal numbers, one for each example.</param>
    /// <param name="mu">The shift: <c>σ' = e^mu / (e^mu + 1/σ − 1)</c>. 0 leaves the levels as they are.</param>
    /// <returns>Levels in 0…1.</returns>
    public static float[] Sigmas(ReadOnlySpan<float> normal, double mu)
    {
        float[] sigmas = new float[normal.Length];
        for (int i = 0; i < sigmas.Length; i++)
        {
            double sigma = 1 / (1 + Math.Exp(-normal[i]));
            sigmas[i] = (float)Shift(sigma, mu);
        }
        return sigmas;
    }

    /// <summary>Moves a noise level towards noise: <c>σ' = e^mu / (e^mu + 1/σ − 1)</c>.</summary>
    /// <param name="sigma">The level, in 0…1.</param>
    /// <param name="mu">The shift; 0 leaves the level as it is.</param>
    public static double Shift(double sigma, double mu) => Math.Exp(mu) / (Math.Exp(mu) + 1 / sigma - 1);
}
