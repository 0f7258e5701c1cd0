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
    private readonly DsdOptions _sampling;
    private readonly OnnxExport? _export;
    private readonly SharedModel<IDsdModel> _model;
    private readonly RequestEnhancer? _enhancer;

    internal DsdGeneratorTransformer(IHostEnvironment environment, DsdGeneratorOptions options, LoraWeights? adapter, IStageModels models)
        : base(new StageHost(environment, nameof(DsdGenerator), options.CancellationToken))
    {
        CheckTogether(options);
        Options = options;
        Adapter = adapter;
        Added = [Column(options)];
        _sampling = ModelDefaults.Frame(options);
        OnnxGeneration? onnx = options.Backend as OnnxGeneration;
        _export = onnx is null ? null : new OnnxExport(options, onnx.Folder, adapter, models, Host);
        _enhancer = options.Enhancer is { } enhancer ? new RequestEnhancer(enhancer, Host) : null;
        _model = new SharedModel<IDsdModel>(nameof(DsdGeneratorTransformer), cancel => options.Backend is TorchGeneration torch
            ? models.OpenStudent(options, torch, adapter, Host.Warn)
            : models.OpenExport(_export!.Folder(cancel), options, onnx!, Host));
    }

    /// <summary>The options that it was made with.</summary>
    public DsdGeneratorOptions Options { get; }

    /// <summary>The adapter that is merged into the model; null where the model is used as it is.</summary>
    public LoraWeights? Adapter { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

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
        string[] seed = options.SeedColumn is null ? [] : [options.SeedColumn];
        return new(options.GeneratedColumn, MLImages.Type(frame.Width, frame.Height), [options.ReferenceColumn, options.PromptColumn, .. seed]);
    }

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
        if (options.Backend is TorchGeneration)
        {
            StageOptionCheck.Device(options.Device, nameof(options.Device));
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

    private protected override Func<string, Delegate> Open(RowWindow rows)
    {
        Func<Picture> reference = InputReaders.Picture(rows.Row, Options.ReferenceColumn);
        Func<string> prompt = InputReaders.Text(rows.Row, Options.PromptColumn, "a prompt");
        Func<long?> key = InputReaders.Key(rows.Row, Options.SeedColumn);
        DsdRequest Request()
        {
            (Picture picture, string text) = (reference(), prompt());
            return new DsdRequest(picture, text, new RowSeed(Options.Seed).With(text).With(picture).With(key() ?? 0).Value);
        }
        PerWindow<Picture> pictures = new(rows, () =>
        {
            DsdRequest[] requests = [.. Enumerable.Range(0, rows.Count).Select(slot => rows.At(slot, Request))];
            return Host.Run(rows, Options.GeneratedColumn, cancel =>
            {
                IReadOnlyList<DsdRequest> asked = _enhancer is null ? requests : _enhancer.Enhance(requests, cancel);
                return _model.Use(cancel, model => model.Generate(asked, _sampling, Options.Progress, cancel));
            });
        });
        return _ => (ValueGetter<MLImage>)((ref value) => value = MLImages.FromPicture(pictures.Current));
    }

    private static VersionInfo Version() => ModelEntry.Version("DSDGENER", LoaderSignature, 2);

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
