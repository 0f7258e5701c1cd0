using Dsd.MLNet;
using Dsd.MLNet.Data.Store;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Stages.Saving;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(RowStoreTransformer), null, typeof(SignatureLoadModel), "DSD row store", RowStoreTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="RowStore"/>: gives rows as they come, and keeps them.</summary>
public sealed class RowStoreTransformer : DsdTransformer
{
    internal const string LoaderSignature = "DsdRowStore";

    internal RowStoreTransformer(IHostEnvironment environment, RowStoreOptions options)
        : base(new StageHost(environment, nameof(RowStore), default))
    {
        CheckTogether(options);
        Options = options;
    }

    /// <summary>The options that it was made with.</summary>
    public RowStoreOptions Options { get; }

    /// <summary>True: each input row gives one output row.</summary>
    public override bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    public override DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema;
    }

    /// <summary>Rows as they come: single rows are not kept.</summary>
    public override IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new RowMapper(inputSchema, [], RowPolicy.Strict, Host.Warn, _ => 1, _ => name => throw new InvalidOperationException(name));
    }

    /// <summary>A view of the input that keeps each row when it is first read.</summary>
    /// <exception cref="NotSupportedException">A column holds what cannot be kept.</exception>
    public override IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new StoredView(input, Options, Host);
    }

    /// <summary>The same stage with other options: another folder.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public RowStoreTransformer With(RowStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new RowStoreTransformer(Host.Environment, options);
    }

    /// <summary>Does nothing: rows belong to the views, and a folder's stay.</summary>
    public override void Dispose()
    {
    }

    /// <exception cref="ArgumentException">A key is given, but no folder.</exception>
    internal static void CheckTogether(RowStoreOptions options)
    {
        if (options is { Key: not null, Folder: null })
        {
            throw new ArgumentException(
                $"Option {nameof(options.Key)} is given, but no {nameof(options.Folder)}: only a store in a folder knows rows again. "
                + "Set it too, or leave the key out.",
                nameof(options));
        }
    }

    private static VersionInfo Version() => ModelEntry.Version("DSDSTORE", LoaderSignature, 1);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static RowStoreTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<RowStoreOptions>(context, Version()));
}
