using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Tiny.World;

namespace Dsd.Lab.Training;

/// <summary>Contact sheets of what a stage has learned, on subjects that no training has seen.</summary>
internal static class Preview
{
    private static int Count(StageContext context) => Math.Min(24, context.Config.Teacher.Batch);

    /// <summary>Single pictures, pairs and quads that the teacher draws from captions.</summary>
    public static void Teacher(StageContext context, string name, float guidance)
    {
        using TextToImagePipeline pipeline = TextToImagePipeline.Load(context.OutFolder, new PipelineOptions { Device = context.Device });
        int side = context.Config.PanelSize;
        WorldRandom random = new(7);
        (Subject Subject, Context[] Contexts)[] wanted =
        [
            .. Enumerable.Range(0, Count(context)).Select(_ => (
                WorldSampler.SampleSubject(random, heldOut: true),
                Enumerable.Range(0, 4).Select(_ => WorldSampler.SampleContext(random)).ToArray())),
        ];
        Draw("single", 1, 1, i => Captions.Full(wanted[i].Subject, wanted[i].Contexts[0], (ulong)i).Text);
        Draw("pair", 2, 1, i => Captions.Grid(wanted[i].Subject, wanted[i].Contexts[..2], (ulong)i).Text);
        Draw("quad", 2, 2, i => Captions.Grid(wanted[i].Subject, wanted[i].Contexts, (ulong)i).Text);

        void Draw(string shape, int columns, int rows, Func<int, string> prompt)
        {
            TextToImageRequest[] requests = [.. Enumerable.Range(0, Count(context)).Select(i => new TextToImageRequest(prompt(i), i))];
            TextToImageOptions options = new() { Width = columns * side, Height = rows * side, Guidance = guidance };
            IReadOnlyList<Picture> pictures = pipeline.Generate(requests, options, cancellationToken: context.CancellationToken);
            ContactSheet.Arrange(pictures, columns: 12 / columns, gap: 4).Save(Path.Combine(context.WorkFolder, $"{name}-{shape}.png"));
            File.WriteAllLines(Path.Combine(context.WorkFolder, $"{name}-{shape}.txt"), requests.Select(r => r.Prompt));
        }
    }

    /// <summary>Rows of a reference and what the student draws of it, with two guidances.</summary>
    public static void Student(StageContext context)
    {
        string adapter = TinyFiles.AdapterFile(context.OutFolder);
        using DsdPipeline pipeline = DsdPipeline.Load(context.OutFolder, options: new PipelineOptions
        {
            Device = context.Device,
            Loras = [new LoraUse(adapter)],
        });
        int side = context.Config.PanelSize;
        WorldRandom random = new(11);
        DsdRequest[] requests =
        [
            .. Enumerable.Range(0, Count(context)).Select(i => new DsdRequest(
                Renderer.Draw(WorldSampler.SampleSubject(random, heldOut: true), WorldSampler.SampleContext(random), side),
                Captions.Edit(WorldSampler.SampleContext(random), (ulong)i).Text,
                i)),
        ];
        IReadOnlyList<Picture>[] drawn =
        [
            .. new[] { 1f, context.Config.Student.Guidance }.Select(guidance => pipeline.Generate(
                requests, new DsdOptions { Width = side, Height = side, Guidance = guidance }, cancellationToken: context.CancellationToken)),
        ];
        ContactSheet.Arrange([.. requests.SelectMany((r, i) => new[] { r.Reference, drawn[0][i], drawn[1][i] })], columns: 12, gap: 4)
            .Save(Path.Combine(context.WorkFolder, "student.png"));
        File.WriteAllLines(Path.Combine(context.WorkFolder, "student.txt"), requests.Select(r => r.Prompt));
    }
}
