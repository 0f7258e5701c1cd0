using Dsd.MLNet;
using Dsd.MLNet.FineTuning;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Stages.Saving;
using Microsoft.ML;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(LoraFineTunerTransformer), null, typeof(SignatureLoadModel), "DSD fine-tuner", LoraFineTunerTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="LoraFineTuner"/>: holds the trained adapter and shows it to the stages behind it.</summary>
public sealed class LoraFineTunerTransformer : RowToRowTransformer
{
    internal const string LoaderSignature = "DsdLoraFineTuner";
    private const string AdapterEntry = "Adapter.safetensors";

    internal LoraFineTunerTransformer(IHostEnvironment environment, LoraFineTunerOptions options, LoraWeights adapter)
        : base(new StageHost(environment, nameof(LoraFineTuner), options.CancellationToken))
    {
        Options = options;
        Adapter = adapter;
        Added = [Column(options, adapter)];
    }

    /// <summary>The options that it was made with.</summary>
    public LoraFineTunerOptions Options { get; }

    /// <summary>The trained adapter.</summary>
    public LoraWeights Adapter { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    /// <summary>Does nothing: the adapter is plain memory.</summary>
    public override void Dispose()
    {
    }

    /// <summary>The added column, with the adapter noted at it; null stands for one that is not trained yet.</summary>
    internal static AddedColumn Column(LoraFineTunerOptions options, LoraWeights? adapter) =>
        new(options.AdapterColumn, new LoraDataViewType(), [], AdapterAnnotation.Of(adapter));

    private protected override void Check(SchemaShape input)
    {
        // The fitted stage reads no column, so that it can stand before a generator that is given references alone.
    }

    private protected override Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault)
    {
        fault = () => null;
        return _ => (ValueGetter<LoraWeights>)((ref value) => value = Adapter);
    }

    private protected override string Describe() => ModelEntry.Description(nameof(LoraFineTuner), Options.AdapterColumn, Adapter);

    private static VersionInfo Version() => ModelEntry.Version("DSDTUNER", LoaderSignature, 4);

    private protected override void Save(ModelSaveContext context)
    {
        ModelEntry.Save(context, Version(), Options);
        ModelEntry.SaveBytes(context, AdapterEntry, Adapter.File);
    }

    private static LoraFineTunerTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(
            environment,
            ModelEntry.Load<LoraFineTunerOptions>(context, Version(), FineTunerOptionsUpgrade.Apply),
            new LoraWeights(ModelEntry.LoadBytes(context, AdapterEntry), "the adapter in the saved model"));
}
