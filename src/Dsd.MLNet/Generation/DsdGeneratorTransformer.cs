using Dsd.Imaging;
using Dsd.MLNet;
using Dsd.MLNet.Generation;
using Dsd.MLNet.Stages;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Stages.Saving;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(DsdGeneratorTransformer), null, typeof(SignatureLoadModel), "DSD generator", DsdGeneratorTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="DsdGenerator"/>: draws a picture for each reference and prompt.</summary>
public sealed class DsdGeneratorTransformer : RowToRowTransformer
{
    internal const string LoaderSignature = "DsdGenerator";
    private const string AdapterEntry = "Adapter.safetensors";
    private readonly IStageModels _models;
    private readonly DsdOptions _sampling;
    private readonly OnnxExport? _export;
    private readonly SharedModel<IDsdModel> _model;
    private readonly RequestEnhancer? _enhancer;

    internal DsdGeneratorTransformer(IHostEnvironment environment, DsdGeneratorOptions options, LoraWeights? adapter, IStageModels models)
        : base(new StageHost(environment, nameof(DsdGenerator), options.CancellationToken))
    {
        options = Settled(environment, options);
        CheckTogether(options);
        Options = options;
        _models = models;
        Adapter = adapter;
        Added = [Column(options)];
        _sampling = ModelDefaults.Frame(options);
        OnnxGeneration? onnx = options.Backend as OnnxGeneration;
        _export = onnx is null ? null : new OnnxExport(options, onnx.Folder, adapter, models, Host);
        _enhancer = options.Enhancer is { } enhancer ? new RequestEnhancer(enhancer, Host) : null;
        _model = new SharedModel<IDsdModel>(nameof(DsdGeneratorTransformer), cancel =>
        {
            DsdGeneratorOptions placed = options with { Device = Device(environment, options, models, Host.Warn) };
            return options.Backend is TorchGeneration torch
                ? models.OpenStudent(placed, torch, adapter, Host.Warn)
                : models.OpenExport(_export!.Folder(cancel), placed, onnx!, Host);
        });
    }

    /// <summary>The options that it was made with.</summary>
    public DsdGeneratorOptions Options { get; }

    /// <summary>The adapter that is merged into the model; null where the model is used as it is.</summary>
    public LoraWeights? Adapter { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    private protected override RowPolicy Policy => Options.Policy;

    /// <summary>The same stage and adapter with other options: another device, backend, folder, batch or what else is to change where it runs.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <returns>A stage with a model of its own; this one stays as it is. An ONNX export is made when its first row is read.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public DsdGeneratorTransformer With(DsdGeneratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DsdGeneratorTransformer(Host.Environment, options, Adapter, _models);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Host.Close();
        _model.Dispose();
        _enhancer?.Dispose();
        _export?.Dispose();
    }

    internal static AddedColumn Column(DsdGeneratorOptions options)
    {
        DsdOptions frame = ModelDefaults.Frame(options);
        string[] reads = [options.ReferenceColumn, options.PromptColumn, .. new[] { options.SeedColumn, options.Policy.Number }.OfType<string>()];
        return new(options.GeneratedColumn, MLImages.Type(frame.Width, frame.Height), reads);
    }

    /// <summary>Options with what a fitted stage keeps of the context and the model's preset.</summary>
    internal static DsdGeneratorOptions Settled(IHostEnvironment environment, DsdGeneratorOptions options) => options with
    {
        Seed = ContextDefaults.Seed(environment, options.Seed),
        Sampling = options.Sampling is null ? null : ModelDefaults.Frame(options with { Backend = new OnnxGeneration() }),
    };

    /// <summary>Where the backend computes, by option or context.</summary>
    internal static string Device(IHostEnvironment environment, DsdGeneratorOptions options, IStageModels models, Action<string>? warn = null) =>
        options.Backend is TorchGeneration
            ? ContextDefaults.TorchDevice(environment, options.Device, models, warn)
            : ContextDefaults.OnnxDevice(environment, options.Device);

    internal static void Check(DsdGeneratorOptions options, SchemaShape input)
    {
        ColumnCheck.Image(input, "reference", options.ReferenceColumn);
        ColumnCheck.Text(input, "prompt", options.PromptColumn);
        ColumnCheck.Seed(input, options.SeedColumn);
    }

    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    internal static void CheckTogether(DsdGeneratorOptions options)
    {
        if (options.LoraTextEncoders != LoraTextEncoders.Refuse && options.LoraFile is null && options.ReleaseFolder is null)
        {
            throw new ArgumentException(
                $"Option {nameof(options.LoraTextEncoders)} is {options.LoraTextEncoders}, but there is no adapter file that it could be about: "
                + $"set {nameof(options.LoraFile)} too, or leave it out.",
                nameof(options));
        }
        options.Policy.RequireDifferent([Column(options)]);
        if (options is { Backend: TorchGeneration, Device: { } device })
        {
            StageOptionCheck.Device(device, nameof(options.Device));
        }
        if (options.Sampling is { BlockCache: > 0 })
        {
            throw new ArgumentException(
                $"Option {nameof(options.Sampling)} sets {nameof(DsdOptions.BlockCache)}, which needs TorchSharp, since an ONNX model always runs whole: "
                + $"set it in {nameof(TorchGeneration)} as the option {nameof(options.Backend)}, and to 0 here.",
                nameof(options));
        }
    }

    /// <summary>Makes ready now what the first row would wait for: the ONNX models are written, or TorchSharp loads the model.</summary>
    internal void Prepare()
    {
        if (_export is null)
        {
            Host.Run(cancel => _model.Use(cancel, _ => true));
        }
        else
        {
            Host.Run(_export.Renew);
        }
    }

    private protected override void Check(SchemaShape input) => Check(Options, input);

    private protected override int WindowSize(Func<string, bool> isActive) => isActive(Options.GeneratedColumn) ? Options.BatchSize : 1;

    private protected override Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault)
    {
        Func<Picture> reference = InputReaders.Picture(rows.Row, Options.ReferenceColumn);
        Func<string> prompt = InputReaders.Text(rows.Row, Options.PromptColumn, "a prompt");
        Func<long?> key = InputReaders.Key(rows.Row, Options.SeedColumn);
        Func<long?> number = InputReaders.Key(rows.Row, Policy.Number);
        PerRow<Outcome<DsdRequest>> requests = new(rows, () => Policy.Try(() =>
        {
            (Picture picture, string text) = (reference(), prompt());
            long seed = new RowSeed(Options.Seed!.Value).With(text).With(picture).With(key() ?? 0).Value;
            return new DsdRequest(picture, text, seed + (number() ?? 0));
        }));
        PerWindow<Outcome<Picture>> pictures = new(rows, () => Outcome.Map(
            [.. Enumerable.Range(0, rows.Count).Select(requests.At)],
            good => Host.Run(rows, Options.GeneratedColumn, cancel =>
            {
                IReadOnlyList<DsdRequest> asked = _enhancer is null ? good : _enhancer.Enhance(good, cancel);
                return _model.Use(cancel, model => model.Generate(asked, _sampling, Options.Progress, cancel));
            })));
        fault = () => requests.Current.Error;
        return _ => (ValueGetter<MLImage>)((ref value) => value = MLImages.FromPicture(pictures.Current));
    }

    private protected override string Describe() => ModelEntry.Description(nameof(DsdGenerator), Options with { Device = null, BatchSize = 1 }, Adapter);

    private static VersionInfo Version() => ModelEntry.Version("DSDGENER", LoaderSignature, 3);

    private protected override void Save(ModelSaveContext context)
    {
        ModelEntry.Save(context, Version(), Options);
        ModelEntry.SaveBytes(context, AdapterEntry, Adapter?.File ?? []);
    }

    private static DsdGeneratorTransformer Create(IHostEnvironment environment, ModelLoadContext context)
    {
        DsdGeneratorOptions options = ModelEntry.Load<DsdGeneratorOptions>(context, Version(), GeneratorOptionsUpgrade.Apply);
        byte[] adapter = ModelEntry.LoadBytes(context, AdapterEntry);
        LoraWeights? weights = adapter.Length == 0 ? null : new LoraWeights(adapter, "the adapter in the saved model");
        return new DsdGeneratorTransformer(environment, options, weights, StageModels.Real);
    }
}
