using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Training;

/// <summary>The method's first stage on the little world: the teacher draws sheets of two panels, which are cut apart.</summary>
internal static class TeacherGrids
{
    private const int DrawBatch = 128;

    /// <summary>What one sheet is asked for with, and what its panels are called.</summary>
    private sealed record Wish(string Grid, string PromptA, string PromptB);

    /// <summary>Draws sheets of subjects that training may see; the same options give the same pairs.</summary>
    public static List<SheetPair> Draw(TeacherGridOptions options, Action<string> log, CancellationToken cancellationToken)
    {
        int side = options.PanelSize;
        TextToImageOptions drawing = new() { Width = 2 * side, Height = side, Steps = options.Steps, Guidance = options.Guidance };
        PanelCutterOptions cut = new() { PanelWidth = side, PanelHeight = side };
        WorldRandom random = new((ulong)options.Seed);
        List<SheetPair> pairs = [];
        using FluxPipeline teacher = FluxPipeline.Load(options.ModelFolder, Pipeline(options.Device));
        while (pairs.Count < options.Count)
        {
            Wish[] wishes = [.. Enumerable.Range(0, Math.Min(DrawBatch, options.Count - pairs.Count)).Select(_ => options.Relight ? RelightWish(random, options.Style) : EditWish(random, options.Style))];
            TextToImageRequest[] requests = [.. wishes.Select(w => new TextToImageRequest(w.Grid, (long)(random.NextBits() >> 1)))];
            IReadOnlyList<Picture> sheets = teacher.Generate(requests, drawing, cancellationToken: cancellationToken);
            foreach ((Wish wish, Picture sheet) in wishes.Zip(sheets))
            {
                IReadOnlyList<Picture> panels = PanelCutter.Cut(sheet, GridLayout.OneByTwo, cut);
                pairs.Add(new SheetPair(panels[0], panels[1], wish.PromptA, wish.PromptB));
            }
            log($"{pairs.Count}/{options.Count} sheets drawn");
        }
        return pairs;
    }

    /// <summary>How models are loaded for use: bfloat16 on CUDA; processors mostly have no fast bfloat16.</summary>
    public static PipelineOptions Pipeline(Device device) => new()
    {
        Device = device,
        DType = device.type == DeviceType.CUDA ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    private static Wish EditWish(WorldRandom random, PromptStyle style)
    {
        Subject subject = WorldSampler.SampleSubject(random);
        Context[] contexts = [WorldSampler.SampleContext(random), WorldSampler.SampleContext(random)];
        return new Wish(
            Captions.Grid(subject, contexts, random.NextBits(), style).Text,
            Captions.Edit(contexts[0], random.NextBits(), style).Text,
            Captions.Edit(contexts[1], random.NextBits(), style).Text);
    }

    private static Wish RelightWish(WorldRandom random, PromptStyle style)
    {
        Subject subject = WorldSampler.SampleSubject(random);
        Context context = WorldSampler.SampleContext(random);
        Light other = WorldSampler.OtherLight(context.Light, random);
        return new Wish(
            Captions.RelightGrid(subject, context, context.Light, other, random.NextBits(), style).Text,
            Captions.Relight(context.Light, random.NextBits(), style).Text,
            Captions.Relight(other, random.NextBits(), style).Text);
    }
}
