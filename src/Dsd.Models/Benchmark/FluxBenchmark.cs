using System.Diagnostics;
using Dsd.Models.Acceleration;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Native;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Training.Planning;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Benchmark;

/// <summary>Times a step of the FLUX transformer with all optimisations, with each one switched off, and with none.</summary>
public static class FluxBenchmark
{
    private const int Rounds = 3;

    // Each is left out in turn.
    private static readonly (string Name, FastPath Path)[] Paths =
    [
        ("kernels", FastPath.Kernels),
        ("fused_projections", FastPath.JoinedProjections),
        ("tuned_products", FastPath.TunedProducts),
    ];

    /// <summary>Measures every variant.</summary>
    /// <param name="options">Model, sizes and device.</param>
    /// <param name="others">Other implementations to measure beside.</param>
    /// <param name="progress">Receives each result as soon as it is there.</param>
    /// <param name="cancellationToken">Checked between variants.</param>
    /// <returns>The results, <c>plain</c> first.</returns>
    /// <exception cref="WeightsException">The folder's transformer does not fit the config.</exception>
    public static IReadOnlyList<FluxBenchmarkResult> Run(
        FluxBenchmarkOptions options,
        IReadOnlyList<FluxBenchmarkVariant>? others = null,
        IProgress<FluxBenchmarkResult>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        double rate = MatrixProductRate(options);
        using FluxTransformer transformer = Transformer(options);
        FluxBenchmarkInputs inputs = Inputs(options);
        List<FluxBenchmarkResult> results = [];
        float[]? plain = null;
        Measure("plain", FastPath.All, sharedSteps: false);
        Measure("all", FastPath.None);
        foreach ((string name, FastPath path) in Paths)
        {
            Measure($"no_{name}", path);
        }
        Measure("no_shared_steps", FastPath.None, sharedSteps: false);
        if (options.Float8)
        {
            FluxFloat8.Convert(transformer);
            Measure("float8", FastPath.None);
        }
        foreach (FluxBenchmarkVariant other in others ?? [])
        {
            cancellationToken.ThrowIfCancellationRequested();
            Func<float[]> step = other.Prepare(inputs);
            Add(other.Name, _ => step(), step);
        }
        return results;

        void Measure(string variant, FastPath leftOut, bool sharedSteps = true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using IDisposable paths = FastPaths.Without(leftOut);
            using DisposeScope own = NewDisposeScope();
            Given given = new(inputs, transformer);
            // What steps share is computed within the measured time, once for as many steps as a generation has.
            FluxConditioning? steps = null;
            Tensor Step(int i)
            {
                if (!sharedSteps)
                {
                    return transformer.forward(
                        given.Latents, given.Condition, given.Text, given.Pooled, given.Sigma, given.Guidance, given.ImageIds, given.TextIds);
                }
                if (i % options.Steps == 0 || steps is null)
                {
                    steps?.Dispose();
                    steps = transformer.Embed(
                        given.Condition, given.Text, given.Pooled, given.Sigma.repeat(options.Steps), given.Guidance, given.ImageIds, given.TextIds);
                }
                return transformer.forward(given.Latents, steps, i % options.Steps);
            }
            Add(variant, i => Step(i).Dispose(), () => Step(0).to(ScalarType.Float32).cpu().data<float>().ToArray());
            steps?.Dispose();
        }

        void Add(string variant, Action<int> step, Func<float[]> output)
        {
            float[] found = output();
            plain ??= found;
            double seconds = Median(step, options);
            double arithmetic = Arithmetic(options);
            FluxBenchmarkResult result = new(
                variant,
                (options.Device ?? CPU).ToString(),
                options.Rows * options.Columns + options.TextTokens,
                1000 * seconds,
                arithmetic / seconds / 1e12,
                arithmetic / seconds / rate,
                Memory(options),
                plain.Zip(found).Max(pair => Math.Abs((double)pair.First - pair.Second)));
            results.Add(result);
            progress?.Report(result);
        }
    }

    /// <summary>Multiplications and additions of a step of one picture.</summary>
    internal static double Arithmetic(FluxBenchmarkOptions options) =>
        FluxTraining.Arithmetic(options.Config, options.Rows * options.Columns, options.TextTokens);

    private static double Median(Action<int> step, FluxBenchmarkOptions options)
    {
        int done = 0;
        double Round(TimeSpan least)
        {
            Synchronize(options);
            Stopwatch watch = Stopwatch.StartNew();
            int first = done;
            do
            {
                step(done++);
                if ((done - first) % 8 == 0)
                {
                    // Work is issued ahead of the device: without waiting, the clock would stop long before the work is done.
                    Synchronize(options);
                }
            }
            while (watch.Elapsed < least);
            Synchronize(options);
            return watch.Elapsed.TotalSeconds / (done - first);
        }
        Round(options.Round / 4);
        return Enumerable.Range(0, Rounds).Select(_ => Round(options.Round)).Order().ElementAt(Rounds / 2);
    }

    internal static double MatrixProductRate(FluxBenchmarkOptions options)
    {
        long size = (options.Device ?? CPU).type == DeviceType.CUDA ? 8192 : 1024;
        using DisposeScope scope = NewDisposeScope();
        Tensor a = TensorMath.Filled([size, size], 0.5, options.DType, options.Device);
        a.normal_();
        return 2.0 * size * size * size / Median(_ => a.mm(a).Dispose(), options with { Round = TimeSpan.FromSeconds(0.5) });
    }

    private static FluxTransformer Transformer(FluxBenchmarkOptions options)
    {
        if (options.ModelFolder is { } folder)
        {
            using WeightSource weights = WeightSource.Open(ModelFolder.Open(folder).ComponentFolder("transformer"));
            return FluxCheckpoint.Load(options.Config, weights, options.Device, options.DType);
        }
        return FluxCheckpoint.Random(options.Config, options.Device, options.DType, MemoryMode.Resident, float8: false, trains: false);
    }

    private static FluxBenchmarkInputs Inputs(FluxBenchmarkOptions options)
    {
        FluxConfig c = options.Config;
        int image = options.Rows * options.Columns;
        float[] Draw(long seed, int count) => Noise.Normal(seed, count);
        return new FluxBenchmarkInputs(
            Draw(1, image * c.InChannels),
            c.Conditional ? Draw(2, image * c.InChannels) : null,
            Draw(3, options.TextTokens * c.JointAttentionDim),
            Draw(4, c.PooledProjectionDim),
            0.7f,
            c.GuidanceEmbeds ? 3.5f : null,
            options);
    }

    internal static void Synchronize(FluxBenchmarkOptions options)
    {
        if ((options.Device ?? CPU).type == DeviceType.CUDA)
        {
            cuda.synchronize();
        }
    }

    internal static long Memory(FluxBenchmarkOptions options) => DeviceMemory.Used(options.Device);

    /// <summary>The inputs on the device.</summary>
    private sealed class Given(FluxBenchmarkInputs inputs, FluxTransformer transformer)
    {
        private readonly FluxBenchmarkOptions _o = inputs.Options;

        public Tensor Latents => field ??= On(inputs.Latents, 1, Image, _o.Config.InChannels);

        public Tensor? Condition => field ??= inputs.Condition is { } values ? On(values, 1, Image, _o.Config.InChannels) : null;

        public Tensor Text => field ??= On(inputs.Text, 1, _o.TextTokens, _o.Config.JointAttentionDim);

        public Tensor Pooled => field ??= On(inputs.Pooled, 1, _o.Config.PooledProjectionDim);

        public Tensor Sigma => field ??= TensorMath.Filled([1], inputs.Sigma, device: transformer.Device);

        public Tensor? Guidance => field ??= inputs.Guidance is { } value ? TensorMath.Filled([1], value, device: transformer.Device) : null;

        public Tensor ImageIds => field ??= LatentPacking.ImageIds(2 * _o.Rows, 2 * _o.Columns, transformer.Device);

        public Tensor TextIds => field ??= LatentPacking.TextIds(_o.TextTokens, transformer.Device);

        private long Image => _o.Rows * _o.Columns;

        private Tensor On(float[] values, params long[] shape) => AlignedTensor.Of(values, shape, CPU).to(transformer.DType).to(transformer.Device);
    }
}
