using Dsd.Imaging;
using Dsd.Models.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Study.Baselines;

/// <summary>Draws the cases of a group of subjects at once, each with its subject's own factors.</summary>
internal static class SubjectDrawing
{
    /// <summary>One list of pictures for each subject, in the order of its cases.</summary>
    /// <param name="model">The teacher, with nothing over it.</param>
    /// <param name="group">The factors.</param>
    /// <param name="cases">For each subject of the group, in its order, at least one case.</param>
    /// <param name="options">Steps and guidance.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    public static IReadOnlyList<Picture>[] Run(FluxModel model, SubjectGroup group, StudyCase[][] cases, SubjectLoraOptions options, CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using LoraStack stack = new(model.Transformer, group.Factors, trainable: false);
        // All subjects have equal shares of the batch: where one has fewer cases, its last is drawn again and left out.
        int most = cases.Max(c => c.Length);
        StudyCase[] padded = [.. cases.SelectMany(c => Enumerable.Range(0, most).Select(i => c[Math.Min(i, c.Length - 1)]))];
        int side = FrameData.Side(model);
        Tensor latents = Denoise(model, padded, cases.Length, options, cancellationToken);
        IReadOnlyList<Picture> pictures = PictureTensors.ToPictures(Sampler.Decode(model.Vae, latents, side, side));
        return [.. cases.Select((c, subject) => (IReadOnlyList<Picture>)[.. Enumerable.Range(0, c.Length).Select(i => pictures[subject * most + i])])];
    }

    private static Tensor Denoise(FluxModel model, StudyCase[] cases, int subjects, SubjectLoraOptions options, CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        Device device = model.Transformer.Device;
        int side = FrameData.Side(model);
        bool guided = options.TextGuidance != 1;
        Tensor noise = Sampler.Noise(cases.Select(c => c.Seed), model.Vae.Config.LatentChannels, side, side, device);
        float[] sigmas = FlowMatchEulerScheduler.Sigmas(model.Scheduler, options.DrawingSteps, (int)noise.shape[1]);
        TextEmbedding prompts = FrameData.Prompts(model, [.. cases.Select(c => IdentifierCaptions.Write(c.Context, c.Prompt.ContextMasks[0], (ulong)c.Seed).Text)]);
        TextEmbedding empty = model.Text.Encode([""]);
        Tensor text = guided ? Beside(empty.Text.expand_as(prompts.Text), prompts.Text) : prompts.Text;
        Tensor pooled = guided ? Beside(empty.Pooled.expand_as(prompts.Pooled), prompts.Pooled) : prompts.Pooled;
        Tensor? guidance = FrameData.Guidance(model, text.shape[0], options.DrawingGuidance);
        Tensor imageIds = LatentPacking.ImageIds(side, side, device);
        Tensor textIds = LatentPacking.TextIds(text.shape[1], device);

        Tensor Velocity(int step, Tensor x)
        {
            Tensor v = model.Transformer
                .forward(guided ? Beside(x, x) : x, null, text, pooled, full(text.shape[0], sigmas[step], device: device), guidance, imageIds, textIds)
                .to(ScalarType.Float32);
            if (!guided)
            {
                return v;
            }
            Tensor[] passes = [.. v.unflatten(0, subjects, 2, cases.Length / subjects).unbind(1).Select(p => p.flatten(0, 1))];
            return passes[0] + options.TextGuidance * (passes[1] - passes[0]);
        }
        return Sampler.Integrate(noise, sigmas, Velocity, null, null, cancellationToken).MoveToOuterDisposeScope();

        // Both passes of a subject lie side by side in its own share of the batch: [subjects · 2 · cases, …].
        Tensor Beside(Tensor first, Tensor second) => stack([first.unflatten(0, subjects, cases.Length / subjects), second.unflatten(0, subjects, cases.Length / subjects)], dim: 1).flatten(0, 2);
    }
}
