using Dsd.Imaging;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using Dsd.Tiny;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>
/// Draws one frame for each case with true guidance in the student's form: <c>v = u + i·(ut − u) + t·(c − ut)</c>, where u is given
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
                $"The study draws frames of {TinyModel.PanelSize} × {TinyModel.PanelSize} pixels from the mode of the reference's latents, but "
                    + $"{sampling.Width} × {sampling.Height} with SampleCondition {sampling.SampleCondition} was asked for.", nameof(sampling));
        }
        List<Picture> pictures = [];
        foreach (StudyCase[] part in cases.Chunk(AtOnce))
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            Canvas canvas = network.Model.CanvasOf(sampling.Width, sampling.Height);
            using ReferenceDenoiser denoiser = new(network, part, sampling, canvas);
            Tensor noise = new Generation<Tensor>(network.Model).Noise([.. part.Select(c => c.Seed)], canvas);
            TrueGuidance guidance = new(sampling.ImageGuidance, sampling.TextGuidance, sampling.UnguidedSteps);
            Tensor latents = Sampler.Integrate(denoiser, noise, denoiser.Sigmas, guidance, cancellationToken: cancellationToken);
            pictures.AddRange(network.Model.Decode(latents, canvas));
        }
        return pictures;
    }

    /// <summary>A network that is given references in its own way, as a sampling loop takes it. Passes of a step go through it together.</summary>
    private sealed class ReferenceDenoiser : IDenoiser<Tensor>
    {
        private readonly ReferenceNetwork _network;
        private readonly TextEmbedding _prompts;
        private readonly TextEmbedding _empty;
        private readonly Tensor _reference;
        private readonly float _guidance;

        public ReferenceDenoiser(ReferenceNetwork network, StudyCase[] cases, DsdOptions sampling, Canvas canvas)
        {
            FluxModel model = network.Model;
            (_network, _guidance) = (network, sampling.Guidance);
            Sigmas = FlowMatchEulerScheduler.Sigmas(model.Schedule, sampling.Steps, canvas.Tokens);
            _reference = FrameData.Latents(model, [.. cases.Select(c => c.Reference)]); // [cases, tokens, channels]
            _prompts = model.Text.Encode([.. cases.Select(c => c.Prompt.Text)], sampling.MaxTextTokens, model.Warn);
            _empty = model.Text.Encode([""], sampling.MaxTextTokens);
        }

        public float[] Sigmas { get; }

        public IReadOnlyList<Tensor> Velocities(Tensor latents, int step, IReadOnlyList<GuidancePass> passes)
        {
            using DisposeScope scope = NewDisposeScope();
            (long count, Device device) = (latents.shape[0], latents.device);
            Tensor text = cat([.. passes.Select(p => p.Prompt ? _prompts.Text : _empty.Text.expand_as(_prompts.Text))]);
            Tensor pooled = cat([.. passes.Select(p => p.Prompt ? _prompts.Pooled : _empty.Pooled.expand_as(_prompts.Pooled))]);
            Tensor given = cat([.. passes.Select(p => TensorMath.Filled([count, 1, 1], p.Condition ? 1 : 0, ScalarType.Bool, device))]);
            Tensor velocities = _network.Velocity(
                latents.repeat(passes.Count, 1, 1), _reference.repeat(passes.Count, 1, 1), given, text, pooled,
                TensorMath.Filled([passes.Count * count], Sigmas[step], device: device), _guidance);
            return [.. velocities.to(ScalarType.Float32).chunk(passes.Count).Select(v => v.MoveToOuterDisposeScope())];
        }

        public Tensor AddScaled(Tensor x, float scale, Tensor y) => x.AddInPlace(y.Times(scale));

        public Tensor PlusScaled(Tensor x, float scale, Tensor y) => x.Plus(y.Times(scale));

        public void Dispose()
        {
            _prompts.Dispose();
            _empty.Dispose();
            _reference.Dispose();
        }
    }
}
