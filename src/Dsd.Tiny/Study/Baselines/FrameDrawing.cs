using Dsd.Imaging;
using Dsd.Models.Imaging;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Study.Baselines;

/// <summary>
/// Draws one frame for each case with true guidance in the student's form: <c>v = u + i·(ut − u) + t·(c − ut)</c>, where u is told
/// nothing, ut the reference, and c the reference and the prompt.
/// </summary>
internal static class FrameDrawing
{
    private const int AtOnce = 128;

    /// <summary>The pictures, in the order of the cases.</summary>
    public static IReadOnlyList<Picture> Run(ReferenceNetwork network, IReadOnlyList<StudyCase> cases, DsdOptions sampling, CancellationToken cancellationToken)
    {
        if (sampling.Width != TinyModel.PanelSize || sampling.Height != TinyModel.PanelSize || sampling.SampleCondition)
        {
            throw new ArgumentException(
                $"The study draws frames of {TinyModel.PanelSize} × {TinyModel.PanelSize} pixels from the mode of the reference's latents, but {sampling.Width} × {sampling.Height} with SampleCondition {sampling.SampleCondition} was asked for.", nameof(sampling));
        }
        List<Picture> pictures = [];
        foreach (StudyCase[] part in cases.Chunk(AtOnce))
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            Tensor latents = Denoise(network, part, sampling, cancellationToken);
            int side = FrameData.Side(network.Model);
            pictures.AddRange(PictureTensors.ToPictures(Sampler.Decode(network.Model.Vae, latents, side, side)));
        }
        return pictures;
    }

    private static Tensor Denoise(ReferenceNetwork network, StudyCase[] cases, DsdOptions sampling, CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        FluxModel model = network.Model;
        Device device = model.Transformer.Device;
        int count = cases.Length;
        int side = FrameData.Side(model);
        Tensor noise = Sampler.Noise(cases.Select(c => c.Seed), model.Vae.Config.LatentChannels, side, side, device);
        float[] sigmas = FlowMatchEulerScheduler.Sigmas(model.Scheduler, sampling.Steps, (int)noise.shape[1]);
        Tensor reference = FrameData.Latents(model, [.. cases.Select(c => c.Reference)]); // [cases, tokens, channels]
        TextEmbedding prompts = model.Text.Encode([.. cases.Select(c => c.Prompt.Text)], sampling.MaxTextTokens, model.Warn);
        TextEmbedding empty = model.Text.Encode([""], sampling.MaxTextTokens);
        Tensor told = ones([count, 1, 1], ScalarType.Bool, device);
        (float i, float t) = (sampling.ImageGuidance, sampling.TextGuidance);

        // The three passes of a step are one batch: u, ut, c.
        Tensor texts = cat([empty.Text.expand_as(prompts.Text), empty.Text.expand_as(prompts.Text), prompts.Text]);
        Tensor pooled = cat([empty.Pooled.expand_as(prompts.Pooled), empty.Pooled.expand_as(prompts.Pooled), prompts.Pooled]);
        Tensor references = reference.repeat(3, 1, 1);
        Tensor tolds = cat([zeros_like(told), told, told]);

        Tensor Velocity(int step, Tensor x)
        {
            Tensor sigma = full(3 * count, sigmas[step], device: device);
            if ((i == 1 && t == 1) || step < sampling.UnguidedSteps)
            {
                return network.Velocity(x, reference, told, prompts.Text, prompts.Pooled, sigma.narrow(0, 0, count), sampling.Guidance);
            }
            Tensor[] v = network.Velocity(x.repeat(3, 1, 1), references, tolds, texts, pooled, sigma, sampling.Guidance).to(ScalarType.Float32).chunk(3);
            return v[0] + i * (v[1] - v[0]) + t * (v[2] - v[1]);
        }
        return Sampler.Integrate(noise, sigmas, Velocity, null, null, cancellationToken).MoveToOuterDisposeScope();
    }
}
