using System.Diagnostics;
using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Tools.Commands;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tools.Benchmark;

/// <summary>
/// Times whole generations as a <c>DsdGenerator</c> makes them: the export, the opening of a model and the drawing are the calls that it makes.
/// Backends are measured one after another, on the same weights, reference, prompt and seed.
/// </summary>
internal static class GenerateBenchmark
{
    private const string Prompt = "A red fox with a blue scarf stands in the snow at night";
    private const long Seed = 1;

    /// <summary>Measures every backend.</summary>
    /// <param name="options">Model, sizes and device.</param>
    /// <param name="progress">Told what is done.</param>
    /// <param name="cancellationToken">Checked between steps and between pieces of weights.</param>
    /// <returns>A result for each backend, in the order in which they were asked for.</returns>
    /// <exception cref="WeightsException">A file of the model or export is missing or wrong, or the model takes no reference.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime has no such device here.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static IReadOnlyList<GenerateBenchmarkResult> Run(GenerateBenchmarkOptions options, IProgress<string> progress, CancellationToken cancellationToken)
    {
        // Said before gigabytes are written.
        if (options.Backends.Contains(GenerateBenchmarkOptions.Onnx))
        {
            OnnxPipeline.RequireProvider(Runtime(options));
        }
        Picture? earlier = options.Backends.Contains(GenerateBenchmarkOptions.Torch) ? null : Earlier(options);
        List<(GenerateBenchmarkResult Result, Picture Picture)> drawn = [];
        foreach (string backend in options.Backends)
        {
            drawn.Add(backend == GenerateBenchmarkOptions.Onnx
                ? MeasureOnnx(options, progress, cancellationToken)
                : MeasureTorch(options, progress, cancellationToken));
            if (options.Pictures is { } folder)
            {
                drawn[^1].Picture.Save(PictureFile(folder, backend));
            }
        }
        Picture? torchs = drawn.FirstOrDefault(d => d.Result.Backend == GenerateBenchmarkOptions.Torch).Picture ?? earlier;
        return
        [
            .. drawn.Select(d => d.Result.Backend == GenerateBenchmarkOptions.Torch || torchs is null ? d.Result : d.Result with
            {
                LargestDifference = Differences(d.Picture, torchs).Max(),
                MeanDifference = Differences(d.Picture, torchs).Average(),
            }),
        ];
    }

    /// <summary>Where what a backend drew is kept.</summary>
    public static string PictureFile(string folder, string backend) => Path.Combine(folder, $"{backend}.png");

    private static (GenerateBenchmarkResult Result, Picture Picture) MeasureOnnx(
        GenerateBenchmarkOptions options, IProgress<string> progress, CancellationToken cancellationToken)
    {
        Export? export = options.OnnxFolder is null ? WriteExport(options, progress, cancellationToken) : null;
        OnnxModelFolder folder = OnnxModelFolder.Open(options.OnnxFolder ?? options.ExportFolder);
        (GenerateBenchmarkResult result, Picture picture) = Measure(
            options,
            GenerateBenchmarkOptions.Onnx,
            $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}",
            $"{ExportFormatOptions.Name(folder.Precision)} {folder.Graphs}".ToLowerInvariant(),
            () => OnnxPipeline.Open(folder.Path, Runtime(options)),
            // A session's run ends when the device has ended it.
            wait: null,
            progress,
            cancellationToken);
        long bytes = folder.Files.Values.Sum();
        return (result with { ExportS = export?.Seconds, ExportMemoryBytes = export?.MemoryBytes, ExportBytes = bytes }, picture);
    }

    private static Export WriteExport(GenerateBenchmarkOptions options, IProgress<string> progress, CancellationToken cancellationToken)
    {
        string model = options.Model();
        progress.Report("exporting");
        using MemorySampler memory = new(gpu: null);
        Stopwatch watch = Stopwatch.StartNew();
        OnnxExporter.Export(
            model, options.AdapterFile is { } adapter ? new LoraUse(adapter) : null, options.ExportFolder,
            new OnnxExportOptions
            {
                Precision = options.ExportPrecision,
                Target = options.ExportTarget,
                FrameWidth = options.Sampling.Width,
                FrameHeight = options.Sampling.Height,
                Overwrite = true,
            },
            cancellationToken);
        return new Export(watch.Elapsed.TotalSeconds, memory.HostBytes);
    }

    private static (GenerateBenchmarkResult Result, Picture Picture) MeasureTorch(
        GenerateBenchmarkOptions options, IProgress<string> progress, CancellationToken cancellationToken)
    {
        string model = options.Model();
        PipelineOptions how = new()
        {
            Device = new Device(options.Device),
            DType = options.Precision,
            Loras = options.AdapterFile is { } adapter ? [new LoraUse(adapter)] : [],
        };
        return Measure(
            options,
            GenerateBenchmarkOptions.Torch,
            $"TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}",
            $"{options.Precision}".ToLowerInvariant(),
            () => DsdPipeline.Load(model, null, how),
            // Work is issued ahead of the device.
            wait: options.Gpu is null ? null : () => cuda.synchronize(),
            progress,
            cancellationToken);
    }

    private static (GenerateBenchmarkResult Result, Picture Picture) Measure(
        GenerateBenchmarkOptions options, string backend, string library, string precision, Func<IDsdModel> open, Action? wait,
        IProgress<string> progress, CancellationToken cancellationToken)
    {
        DsdRequest[] requests = [new DsdRequest(Reference(options.Sampling), Prompt, Seed)];
        progress.Report($"opening with {backend}");
        // What an earlier backend left is not this one's.
        GC.Collect();
        using MemorySampler memory = new(options.Gpu);
        Stopwatch watch = Stopwatch.StartNew();
        using IDsdModel model = open();
        model.Generate(requests, options.Sampling with { Steps = 1 }, null, cancellationToken);
        double openS = watch.Elapsed.TotalSeconds;
        List<double> steps = [];
        List<double> generations = [];
        List<double> firstSteps = [];
        List<double> afterSteps = [];
        Picture? picture = null;
        for (int i = 0; i < options.Generations; i++)
        {
            progress.Report($"drawing with {backend}: {i + 1} of {options.Generations}");
            StepClock clock = new(wait);
            watch.Restart();
            picture = model.Generate(requests, options.Sampling, clock, cancellationToken)[0];
            generations.Add(watch.Elapsed.TotalSeconds);
            steps.AddRange(clock.Milliseconds);
            firstSteps.Add(clock.FirstS);
            afterSteps.Add(clock.SinceLastS);
        }
        double[] sorted = [.. steps.Order()];
        return (new GenerateBenchmarkResult
        {
            Size = options.Size,
            Backend = backend,
            Device = options.Device,
            DeviceName = DeviceName.Of(options.Gpu),
            Library = library,
            Precision = precision,
            Width = options.Sampling.Width,
            Height = options.Sampling.Height,
            Steps = options.Sampling.Steps,
            Generations = options.Generations,
            OpenS = openS,
            MsPerStep = sorted[sorted.Length / 2],
            MsPerStepLeast = sorted[0],
            MsPerStepP90 = sorted[Math.Min(sorted.Length - 1, (int)Math.Ceiling(0.9 * sorted.Length) - 1)],
            GenerationS = Median(generations),
            BeforeStepsS = Math.Max(0, Median(firstSteps) - sorted[sorted.Length / 2] / 1000),
            AfterStepsS = Median(afterSteps),
            OpeningS = (model as OnnxPipeline)?.Placements.ToDictionary(p => p.Component, p => p.Opening.TotalSeconds),
            HostMemoryBytes = memory.HostBytes,
            GpuMemoryBytes = memory.GpuBytes,
        }, picture!);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static OnnxRuntimeOptions Runtime(GenerateBenchmarkOptions options) => new()
    {
        Providers = [options.Gpu is null ? OnnxProvider.Cpu : OnnxProvider.Cuda],
        Device = options.Gpu ?? 0,
        Memory = options.Memory,
        CudaGraphs = options.CudaGraphs,
    };

    /// <summary>What TorchSharp drew in an earlier call; null where nothing of it is kept.</summary>
    private static Picture? Earlier(GenerateBenchmarkOptions options)
    {
        if (options.Pictures is not { } folder || PictureFile(folder, GenerateBenchmarkOptions.Torch) is var file && !File.Exists(file))
        {
            return null;
        }
        Picture picture = Picture.Load(file);
        return picture.Width == options.Sampling.Width && picture.Height == options.Sampling.Height
            ? picture
            : throw new PictureException(
                file, $"a picture of {options.Sampling.Width} × {options.Sampling.Height} pixels to compare with", $"{picture.Width} × {picture.Height}");
    }

    /// <summary>A picture with areas, edges and slopes, the same each time.</summary>
    private static Picture Reference(DsdOptions sampling)
    {
        byte[] pixels = new byte[3 * sampling.Width * sampling.Height];
        for (int y = 0, i = 0; y < sampling.Height; y++)
        {
            for (int x = 0; x < sampling.Width; x++)
            {
                bool inside = Math.Pow(x - sampling.Width / 2.0, 2) + Math.Pow(y - sampling.Height / 2.0, 2) < Math.Pow(sampling.Width / 3.0, 2);
                pixels[i++] = (byte)(inside ? 200 : 255 * x / sampling.Width);
                pixels[i++] = (byte)(inside ? 90 : 255 * y / sampling.Height);
                pixels[i++] = (byte)(inside ? 40 : 160);
            }
        }
        return new Picture(sampling.Width, sampling.Height, pixels);
    }

    private static int[] Differences(Picture one, Picture other)
    {
        int[] differences = new int[one.Pixels.Length];
        for (int i = 0; i < differences.Length; i++)
        {
            differences[i] = Math.Abs(one.Pixels[i] - other.Pixels[i]);
        }
        return differences;
    }

    private readonly record struct Export(double Seconds, long MemoryBytes);

    /// <summary>The time between two reports of a generation.</summary>
    private sealed class StepClock(Action? wait) : IProgress<SamplingProgress>
    {
        private readonly long _begun = Stopwatch.GetTimestamp();
        private long _last;

        /// <summary>Seconds from its making to the end of the first step.</summary>
        public double FirstS { get; private set; }

        /// <summary>Seconds from the end of the last step to now.</summary>
        public double SinceLastS => Stopwatch.GetElapsedTime(_last).TotalSeconds;

        public List<double> Milliseconds { get; } = [];

        public void Report(SamplingProgress value)
        {
            wait?.Invoke();
            long now = Stopwatch.GetTimestamp();
            if (value.Step > 1)
            {
                Milliseconds.Add(Stopwatch.GetElapsedTime(_last, now).TotalMilliseconds);
            }
            else
            {
                FirstS = Stopwatch.GetElapsedTime(_begun, now).TotalSeconds;
            }
            _last = now;
        }
    }
}
