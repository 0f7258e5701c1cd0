using Dsd.Evaluation.Encoders;
using Dsd.MLNet.Evaluation;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Dsd.Onnx.Runtime;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>What the fitted stages have in common that run an exported encoder.</summary>
public abstract class EmbeddingTransformer : EncoderTransformer
{
    private readonly EncoderStageOptions _options;
    private readonly string _device;
    private readonly SharedModel<IPictureEncoder> _encoder;

    private protected EmbeddingTransformer(IHostEnvironment environment, string stage, EncoderStageOptions options)
        : base(environment, stage, options.Encoder, options.CancellationToken)
    {
        _options = options;
        _device = ContextDefaults.OnnxDevice(environment, options.Device);
        Scoring = ChosenScoring.Of(Folder, options, _device);
        _encoder = new SharedModel<IPictureEncoder>(GetType().Name, _ =>
        {
            Host.Info($"Opening the encoder '{options.Encoder}' ({Folder.Kind}) on {_device}, run by {Scoring}.");
            return Scoring == EmbeddingScoring.OnnxTransformer
                ? new TransformEncoder(Folder, Runtime, Host.Warn)
                : PictureEncoder.Open(options.Encoder, Runtime with { Warn = Host.Warn });
        });
    }

    /// <summary>What runs the network: <see cref="EmbeddingScoring.OnnxTransformer"/> or <see cref="EmbeddingScoring.OnnxRuntime"/>.</summary>
    public EmbeddingScoring Scoring { get; }

    private OnnxRuntimeOptions Runtime => _options.Runtime.On(_device);

    /// <inheritdoc/>
    public sealed override void Dispose()
    {
        base.Dispose();
        _encoder.Dispose();
    }

    internal override void Require(SchemaShape input)
    {
        base.Require(input);
        OnnxPipeline.RequireProvider(Runtime);
    }

    // A transform takes a row at a time, so that nothing is gained by reading ahead.
    private protected sealed override int WindowSize(Func<string, bool> isActive) =>
        Scoring == EmbeddingScoring.OnnxRuntime && Added.Any(c => isActive(c.Name)) ? _options.BatchSize : 1;

    /// <summary>What is computed of each row of a window, for all of them at once.</summary>
    /// <typeparam name="TInput">What is read of a row.</typeparam>
    /// <typeparam name="TValue">What is computed.</typeparam>
    private protected PerWindow<Outcome<TValue>> Computed<TInput, TValue>(
        RowWindow rows, Func<TInput> read, out Func<string?> fault, Func<IPictureEncoder, TInput[], CancellationToken, IReadOnlyList<TValue>> compute)
    {
        PerRow<Outcome<TInput>> inputs = new(rows, () => Policy.Try(read));
        fault = () => inputs.Current.Error;
        return new PerWindow<Outcome<TValue>>(rows, () => Outcome.Map(
            [.. Enumerable.Range(0, rows.Count).Select(inputs.At)],
            good => Host.Run(rows, Added[0].Name, cancel => _encoder.Use(cancel, encoder => compute(encoder, good, cancel)))));
    }
}
