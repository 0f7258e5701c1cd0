using Dsd.Common.Files;
using Dsd.MLNet.Data.Store;
using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>
/// Keeps rows that cost time or money, images too, in memory or in a folder. ML.NET's own <c>AppendCacheCheckpoint</c>, <c>Cache</c> and <c>ShuffleRows</c>
/// drop image columns without a word.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none: <see cref="Fit"/> only checks columns and the folder.</description></item>
/// <item><term>Reads</term><description>every column.</description></item>
/// <item><term>Adds</term><description>nothing.</description></item>
/// </list>
/// A row is computed and kept when it is first read; reading it again reads what was kept. A pass that ends early keeps what it has, and the next one goes on
/// behind it; from a folder also in another process. <c>PredictionEngine</c> passes through and keeps nothing.
/// <para>
/// A store in a folder knows its rows again by the view's schema, the options, adapters and names of the stages of this package above it, and the values of
/// all columns but images of the view that those stages began with, which is read once for that. Not looked at are: pictures of that view, a chat client
/// or judge that has no name, what lies behind a name or a path, and stages of ML.NET's, whose output counts as a beginning.
/// <see cref="RowStoreOptions.Key"/> tells apart what differs there.
/// </para>
/// </remarks>
public sealed class RowStore : IEstimator<RowStoreTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly RowStoreOptions _options;

    /// <summary>A store with the given options, or the defaults: in memory.</summary>
    /// <exception cref="ArgumentException">A key is given, but no folder.</exception>
    public RowStore(IHostEnvironment mlContext, RowStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ColumnTypes.Register();
        _environment = mlContext;
        _options = options ?? new RowStoreOptions();
        RowStoreTransformer.CheckTogether(_options);
    }

    /// <summary>Checks that every column can be kept, and that the folder can be written. No row is read.</summary>
    /// <exception cref="NotSupportedException">A column holds what cannot be kept.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public RowStoreTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        RowCodec.Require(input.Schema.Select(c => (c.Name, c.Type)));
        RequireFolder();
        return new RowStoreTransformer(_environment, _options);
    }

    /// <summary>The input's shape. It checks what <see cref="Fit"/> checks.</summary>
    /// <exception cref="NotSupportedException">A column holds what cannot be kept.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        RowCodec.Require(inputSchema.Select(c => (c.Name, c.ItemType)));
        RequireFolder();
        return inputSchema;
    }

    private void RequireFolder()
    {
        if (_options.Folder is { } folder)
        {
            WritablePlace.RequireFolder(folder);
        }
    }
}
