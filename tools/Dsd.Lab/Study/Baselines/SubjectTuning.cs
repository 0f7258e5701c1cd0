using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Tiny;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>Tunes an adapter for each of a group of subjects at once, none of which notices the others.</summary>
/// <remarks>
/// All subjects meet the same noise, noise levels, and numbers of views and wordings in a step; the loss is the sum of the subjects' means,
/// AdamW works on each number by itself, and gradients are not clipped. So the factors of a subject are those that it would get alone.
/// </remarks>
internal sealed class SubjectTuning : IDisposable
{
    private const int PriorPictures = 64;
    private const int AllContext = 0b11111;
    // Clipping looks at all gradients together, and would let the subjects feel each other.
    private const double NoClipping = 1e30;
    private readonly FluxModel _model;
    private readonly SubjectLoraOptions _options;
    private readonly Tensor? _priorLatents;
    private readonly TextEmbedding? _priorText;

    /// <summary>Prepares what all groups share. The model still belongs to the caller.</summary>
    public SubjectTuning(FluxModel model, SubjectLoraOptions options)
    {
        (_model, _options) = (model, options);
        if (options.PriorSamples > 0)
        {
            (_priorLatents, _priorText) = DrawPrior();
        }
    }

    /// <summary>Tunes the subjects of some cases, one case a subject.</summary>
    public SubjectGroup Run(IReadOnlyList<StudyCase> subjects, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        int count = subjects.Count;
        Picture[] views = [.. subjects.SelectMany(s => Enumerable.Range(0, _options.Views).Select(v => View(s.Reference, v)))];
        string[] captions = [.. subjects.SelectMany(
            s => Enumerable.Range(0, _options.Wordings)
                .Select(w => IdentifierCaptions.Of(s, s.ReferenceContext, AllContext, (ulong)(_options.Seed * 1009 + w), _options.Described).Text))];
        Tensor latents = FrameData.Latents(_model, views).unflatten(0, count, _options.Views); // [subjects, views, tokens, channels]
        TextEmbedding text = FrameData.Prompts(_model, captions);
        TextEmbedding worded = new(text.Text.unflatten(0, count, _options.Wordings), text.Pooled.unflatten(0, count, _options.Wordings));

        using LoraAdapter start = LoraAdapter.Create(_model.Transformer, new LoraOptions
        {
            Rank = _options.Rank,
            Seed = _options.Seed,
            Condition = ConditionTraining.Frozen,
        });
        using LoraStack stack = LoraStack.Repeat(start, count, _model.Transformer);
        using TrainingLoop loop = new(stack.Parameters, new TrainingLoopOptions
        {
            Steps = _options.Steps,
            PeakLearningRate = _options.LearningRate,
            WarmupSteps = Math.Min(20, _options.Steps / 10),
            Optimizer = new AdamWOptions { MaxGradientNorm = NoClipping },
        });
        loop.Run(step => Loss(step, latents, worded), progress is null ? null : new Mean(progress, count), cancellationToken);
        return SubjectGroup.Of([.. subjects.Select(s => s.SubjectIndex)], stack);
    }

    public void Dispose()
    {
        _priorLatents?.Dispose();
        _priorText?.Dispose();
    }

    private Tensor Loss(long step, Tensor latents, TextEmbedding text)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator random = new((ulong)(_options.Seed * 1_000_003 + step));
        Device device = latents.device;
        (long subjects, int own, int prior) = (latents.shape[0], _options.SamplesPerStep, _options.PriorSamples);

        Tensor view = Pick(_options.Views, own);
        Tensor wording = Pick(_options.Wordings, own);
        Tensor target = latents.index_select(1, view); // [subjects, samples, tokens, channels]
        Tensor prompts = text.Text.index_select(1, wording);
        Tensor pooled = text.Pooled.index_select(1, wording);
        if (prior > 0)
        {
            Tensor others = Pick(PriorPictures, prior);
            target = cat([target, ForAll(_priorLatents!.index_select(0, others))], dim: 1);
            prompts = cat([prompts, ForAll(_priorText!.Text.index_select(0, others))], dim: 1);
            pooled = cat([pooled, ForAll(_priorText.Pooled.index_select(0, others))], dim: 1);
        }
        target = target.flatten(0, 1); // [subjects · samples, tokens, channels]
        Tensor noise = ForAll(randn([own + prior, target.shape[1], target.shape[2]], generator: random).to(device)).flatten(0, 1);
        float[] normal = randn(own + prior, generator: random).data<float>().ToArray();
        Tensor sigma = ForAll(tensor(FlowMatching.Sigmas(normal, FlowMatchEulerScheduler.Mu(_model.Schedule, (int)target.shape[1])), device: device))
            .flatten(0, 1);

        int side = FrameData.Side(_model);
        Tensor velocity = _model.Transformer.forward(
            FlowMatching.Interpolate(target, noise, sigma),
            null,
            prompts.flatten(0, 1),
            pooled.flatten(0, 1),
            sigma,
            FrameData.Guidance(_model, target.shape[0], _options.TrainingGuidance),
            LatentPacking.ImageIds(side, side, device),
            LatentPacking.TextIds(prompts.shape[2], device));
        Tensor error = (velocity.to(ScalarType.Float32) - FlowMatching.Velocity(target, noise)).Squared().mean([1, 2])
            .unflatten(0, subjects, own + prior); // [subjects, samples]
        Tensor loss = error.narrow(1, 0, own).mean([1]).sum();
        return (prior > 0 ? loss.Plus(error.narrow(1, own, prior).mean([1]).sum()) : loss).MoveToOuterDisposeScope();

        Tensor Pick(int most, int picked) => randint(most, [picked], generator: random).to(ScalarType.Int64).to(device);

        Tensor ForAll(Tensor one) => one.unsqueeze(0).expand([subjects, .. one.shape]);
    }

    /// <summary>The reference itself, or a cut of it that moves and enlarges what is seen by up to a twelfth.</summary>
    private Picture View(Picture reference, int number)
    {
        Picture frame = reference.CropToFit(TinyModel.PanelSize, TinyModel.PanelSize);
        if (number == 0)
        {
            return frame;
        }
        Random random = new(unchecked((int)(_options.Seed * 31 + number)));
        int side = random.Next(TinyModel.PanelSize * 11 / 12, TinyModel.PanelSize);
        return frame.Crop(random.Next(TinyModel.PanelSize - side + 1), random.Next(TinyModel.PanelSize - side + 1), side, side)
            .CropToFit(TinyModel.PanelSize, TinyModel.PanelSize);
    }

    /// <summary>What the teacher draws of other subjects, and the captions that it drew them by.</summary>
    private (Tensor Latents, TextEmbedding Text) DrawPrior()
    {
        WorldRandom random = new((ulong)_options.Seed);
        string[] captions = [.. Enumerable.Range(0, PriorPictures)
            .Select(_ => Captions.Single(WorldSampler.SampleSubject(random), WorldSampler.SampleContext(random), random.NextBits()).Text)];
        // The pipeline would dispose the model, which belongs to the caller: so it is not disposed.
        IReadOnlyList<Picture> pictures = new TextToImagePipeline(_model).Generate(
            [.. captions.Select((c, i) => new TextToImageRequest(c, _options.Seed + i))],
            new TextToImageOptions
            {
                Width = TinyModel.PanelSize,
                Height = TinyModel.PanelSize,
                Steps = _options.DrawingSteps,
                Guidance = _options.DrawingGuidance,
            });
        Tensor latents = FrameData.Latents(_model, pictures);
        TextEmbedding text = FrameData.Prompts(_model, captions);
        return (latents.DetachFromDisposeScope(), new TextEmbedding(text.Text.DetachFromDisposeScope(), text.Pooled.DetachFromDisposeScope()));
    }

    /// <summary>Tells the mean over subjects where the loop knows their sum.</summary>
    private sealed class Mean(IProgress<TrainingProgress> progress, int count) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => progress.Report(value with { Loss = value.Loss / count });
    }
}
