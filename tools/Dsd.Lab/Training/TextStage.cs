using Dsd.Models.Layers;
using Dsd.Models.Text;
using Dsd.Models.Training;
using Dsd.Tiny.World;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>
/// Trains both text encoders to read captions, before there are pictures to draw: heads that are thrown away afterwards tell of every attribute
/// its value or that it is not stated. FLUX's encoders come pre-trained too.
/// </summary>
internal static class TextStage
{
    private const int HeldOutCaptions = 2048;

    public static bool Run(StageContext context)
    {
        (TinyTrainingConfig config, Device device) = (context.Config, context.Device);
        if (config.Text.Steps == 0)
        {
            context.Log("text: no steps are asked for, so the teacher starts with encoders that know nothing");
            return true;
        }
        if (TinyFiles.HasTeacher(context.OutFolder))
        {
            throw new InvalidOperationException(
                $"Stage text: '{context.OutFolder}' holds a teacher, whose text encoders would be overwritten. Leave the stage out, or delete the "
                    + $"folder 'transformer'.");
        }
        TinyTokens tokens = TinyTokens.Load(context.OutFolder, config.Text.T5Tokens);
        random.manual_seed(config.Seed);
        using ClipTextModel clip = TeacherNetworks.NewClip(config, tokens, device);
        using T5Encoder t5 = TeacherNetworks.NewT5(config, tokens, device);
        (int attributes, int answers) = (StatedCaption.Attributes.Count, StatedCaption.Answers);
        using PooledReader clipReader = new(attributes, config.Text.ClipWidth, answers, device, clip.DType);
        using TokenReader t5Reader = new(attributes, config.Text.T5Width, answers, device, t5.DType);
        IEnumerable<Parameter> parameters = clip.parameters().Concat(t5.parameters()).Concat(clipReader.parameters()).Concat(t5Reader.parameters());
        using TrainingLoop loop = new(parameters, context.Loop("text", config.Text, averageDecay: 0.99));
        Ahead<CaptionBatch> batches = new(loop.Step, depth: 6, step => CaptionBatch.Draw(config, step, config.Text.Batch, tokens), config.Text.Steps);
        bool done = loop.Run(
            _ =>
            {
                using DisposeScope scope = NewDisposeScope();
                (Tensor t5Ids, Tensor clipIds, Tensor stated) = batches.Take().ToTensors(device);
                Tensor fromClip = clipReader.forward(clip.forward(clipIds).Pooled); // [attributes, batch, answers]
                Tensor fromT5 = t5Reader.forward(t5.forward(t5Ids));
                return Loss(fromClip, stated).Plus(Loss(fromT5, stated)).MoveToOuterDisposeScope();
            },
            context.Progress("text"),
            context.CancellationToken);
        if (done)
        {
            TinyFiles.SaveText(context.OutFolder, clip, t5);
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            (Tensor t5Ids, Tensor clipIds, Tensor stated) = CaptionBatch.Draw(config, ~0, HeldOutCaptions, tokens, heldOut: true).ToTensors(device);
            Report(context, "CLIP", clipReader.forward(clip.forward(clipIds).Pooled), stated);
            Report(context, "T5", t5Reader.forward(t5.forward(t5Ids)), stated);
        }
        return done;
    }

    private static Tensor Loss(Tensor logits, Tensor stated) => nn.functional.cross_entropy(logits.flatten(0, 1), stated.flatten());

    private static void Report(StageContext context, string encoder, Tensor logits, Tensor stated)
    {
        Tensor right = logits.argmax(-1).eq(stated).to(ScalarType.Float32); // [attributes, captions]
        Tensor said = stated.gt(tensor(0L)).to(ScalarType.Float32);
        float[] whereSaid = Share(right, said);
        float[] whereNot = Share(right, (-said).Plus(1));
        for (int i = 0; i < whereSaid.Length; i++)
        {
            context.Log($"text: {encoder} {StatedCaption.Attributes[i].Name}: {whereSaid[i]:P1} right where stated, {whereNot[i]:P1} where not");
        }
        context.Log($"text: {encoder} {whereSaid.Average():P1} right where stated, {whereNot.Average():P1} where not");
    }

    private static float[] Share(Tensor right, Tensor among) => ((right * among).sum(1) / among.sum(1).AtLeast(1)).cpu().data<float>().ToArray();
}

/// <summary>Captions as token ids, with what they state: rows one after another.</summary>
internal sealed record CaptionBatch(int Count, long[] T5Ids, long[] ClipIds, long[] Stated)
{
    /// <summary>Captions decided by the config's seed and the number.</summary>
    public static CaptionBatch Draw(TinyTrainingConfig config, long number, int count, TinyTokens tokens, bool heldOut = false)
    {
        (StatedCaption Caption, long[] T5, long[] Clip)[] drawn = ProcessorThreads.Make(count, i =>
        {
            ulong seed = WorldRandom.Mix(WorldRandom.Mix((ulong)config.Seed + 1) ^ (ulong)(number * 1_000_003 + i));
            StatedCaption caption = StatedCaption.Draw(new WorldRandom(seed), heldOut);
            (long[] t5, long[] clip) = tokens.Encode(caption.Text);
            return (caption, t5, clip);
        });
        return new CaptionBatch(
            count,
            [.. drawn.SelectMany(d => d.T5)],
            [.. drawn.SelectMany(d => d.Clip)],
            [.. drawn.SelectMany(d => d.Caption.Stated.Select(value => (long)value))]);
    }

    /// <summary>Ids [batch, tokens] for both encoders, and what is stated [attributes, batch].</summary>
    public (Tensor T5, Tensor Clip, Tensor Stated) ToTensors(Device device) =>
        (Rows(T5Ids, device), Rows(ClipIds, device), Rows(Stated, device).transpose(0, 1).contiguous());

    private Tensor Rows(long[] values, Device device) => tensor(values, [Count, values.Length / Count], device: device);
}
