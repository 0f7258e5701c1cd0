using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using Dsd.Tiny;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>Draws the cases of a group of subjects at once, each with its subject's own factors.</summary>
internal static class SubjectDrawing
{
    /// <summary>One list of pictures for each subject, in the order of its cases.</summary>
    /// <param name="model">The teacher, with nothing over it.</param>
    /// <param name="group">The factors.</param>
    /// <param name="cases">For each subject of the group, in its order, at least one case.</param>
    /// <param name="options">Steps and guidance.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    public static IReadOnlyList<Picture>[] Run(
        FluxModel model, SubjectGroup group, StudyCase[][] cases, SubjectLoraOptions options, CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using LoraStack stack = new(model.Transformer, group.Factors, trainable: false, options.Scale);
        // All subjects have equal shares of the batch: where one has fewer cases, its last is drawn again and left out.
        int most = cases.Max(c => c.Length);
        StudyCase[] padded = [.. cases.SelectMany(c => Enumerable.Range(0, most).Select(i => c[Math.Min(i, c.Length - 1)]))];
        Canvas canvas = model.CanvasOf(TinyModel.PanelSize, TinyModel.PanelSize);
        using SubjectDenoiser denoiser = new(model, padded, cases.Length, options, canvas);
        Tensor noise = new Generation<Tensor>(model).Noise([.. padded.Select(c => c.Seed)], canvas);
        Tensor latents = Sampler.Integrate(
            denoiser, noise, denoiser.Sigmas, new TrueGuidance(1, options.TextGuidance, 0), cancellationToken: cancellationToken);
        IReadOnlyList<Picture> pictures = model.Decode(latents, canvas);
        return [.. cases.Select((c, subject) => (IReadOnlyList<Picture>)[.. Enumerable.Range(0, c.Length).Select(i => pictures[subject * most + i])])];
    }

    /// <summary>The teacher with every subject's factors over it, as a sampling loop takes it.</summary>
    private sealed class SubjectDenoiser : IDenoiser<Tensor>
    {
        private readonly FluxModel _model;
        private readonly int _subjects;
        private readonly float _guidance;
        private readonly Canvas _canvas;
        private readonly TextEmbedding _prompts;
        private readonly TextEmbedding _empty;

        public SubjectDenoiser(FluxModel model, StudyCase[] cases, int subjects, SubjectLoraOptions options, Canvas canvas)
        {
            (_model, _subjects, _guidance, _canvas) = (model, subjects, options.DrawingGuidance, canvas);
            Sigmas = FlowMatchEulerScheduler.Sigmas(model.Schedule, options.DrawingSteps, canvas.Tokens);
            _prompts = FrameData.Prompts(model, [.. cases.Select(c => Caption(c, options))]);
            _empty = model.Text.Encode([""]);
        }

        public float[] Sigmas { get; }

        private static string Caption(StudyCase one, SubjectLoraOptions options) => IdentifierCaptions.Of(
            one, one.Context, one.Prompt.ContextMasks[0], (ulong)one.Seed, options.Described).Text;

        public IReadOnlyList<Tensor> Velocities(Tensor latents, int step, IReadOnlyList<GuidancePass> passes)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor text = Beside(passes, p => p.Prompt ? _prompts.Text : _empty.Text.expand_as(_prompts.Text));
            Tensor pooled = Beside(passes, p => p.Prompt ? _prompts.Pooled : _empty.Pooled.expand_as(_prompts.Pooled));
            (long rows, Device device) = (text.shape[0], latents.device);
            Tensor velocities = _model.Transformer.forward(
                Beside(passes, _ => latents),
                null,
                text,
                pooled,
                TensorMath.Filled([rows], Sigmas[step], device: device),
                FrameData.Guidance(_model, rows, _guidance),
                LatentPacking.ImageIds(_canvas.LatentHeight, _canvas.LatentWidth, device),
                LatentPacking.TextIds(text.shape[1], device)).to(ScalarType.Float32);
            return [.. velocities.unflatten(0, _subjects, passes.Count, latents.shape[0] / _subjects).unbind(1)
                .Select(p => p.flatten(0, 1).MoveToOuterDisposeScope())];
        }

        public Tensor AddScaled(Tensor x, float scale, Tensor y) => x.AddInPlace(y.Times(scale));

        public Tensor PlusScaled(Tensor x, float scale, Tensor y) => x.Plus(y.Times(scale));

        public void Dispose()
        {
            _prompts.Dispose();
            _empty.Dispose();
        }

        // The passes of a subject lie side by side in its own share of the batch: [subjects · passes · cases, …].
        private Tensor Beside(IReadOnlyList<GuidancePass> passes, Func<GuidancePass, Tensor> rows) =>
            stack([.. passes.Select(p => rows(p).unflatten(0, _subjects, rows(p).shape[0] / _subjects))], dim: 1).flatten(0, 2);
    }
}
