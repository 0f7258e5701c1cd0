using Dsd.MLNet;
using Quickstart;

// Diffusion Self-Distillation from beginning to end, on a processor: draw grids, judge pairs, fine-tune, export, generate.
if (!Settings.TryRead(args, out Settings settings, out string usage))
{
    Console.Error.WriteLine(usage);
    return 2;
}
using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
try
{
    string report = Screen.Show(screen =>
    {
        Stages stages = new(settings, stop.Token);
        Results results = new(settings);
        results.Grids = screen.Stage("Draw grids", stages.DrawGrids);
        results.Pairs = screen.Stage("Judge pairs", stage => stages.JudgePairs(results.Grids, stage));
        LoraFineTunerTransformer tuned = screen.Stage("Fine-tune the LoRA", stage => stages.FineTune(results.Pairs, stage, results.Losses.Add));
        ReferenceRow[] references = stages.References();
        using DsdGeneratorTransformer generator = screen.Stage("Export to ONNX", _ => stages.Export(tuned, references));
        results.Pictures = screen.Stage("Generate pictures", stage => stages.Generate(generator, references, stage));
        results.Timings = screen.Timings;
        return Report.Write(results);
    });
    Console.WriteLine($"The report: {report}");
    return 0;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException or OperationCanceledException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
