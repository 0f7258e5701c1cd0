using Dsd.MLNet.Data.Store;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>Keeping rows, images included, where ML.NET's own cache and shuffling drop images.</summary>
public static class RowStoreCatalog
{
    /// <summary>
    /// Keeps the rows that come to this place of a pipeline, so that stages behind it, further passes and further runs read them again in place of computing
    /// them: what <c>AppendCacheCheckpoint</c> does without images.
    /// </summary>
    /// <param name="start">What comes before.</param>
    /// <param name="mlContext">The context.</param>
    /// <param name="folder">Where rows are kept (<see cref="RowStoreOptions.Folder"/>). Null, the default, is memory.</param>
    /// <param name="key">Words that tell these rows from others (<see cref="RowStoreOptions.Key"/>). Null, the default, is none.</param>
    /// <exception cref="ArgumentException">A key is given, but no folder.</exception>
    public static EstimatorChain<RowStoreTransformer> AppendRowStore<TTransformer>(
        this IEstimator<TTransformer> start, IHostEnvironment mlContext, string? folder = null, string? key = null)
        where TTransformer : class, ITransformer
    {
        ArgumentNullException.ThrowIfNull(start);
        RowStore store = new(mlContext, new RowStoreOptions { Folder = folder, Key = key });
        return start is EstimatorChain<TTransformer> chain ? chain.Append(store) : new EstimatorChain<ITransformer>().Append(start).Append(store);
    }

    /// <summary>Keeps the rows that come to this place of a pipeline (<see cref="RowStore"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">The folder. Null, the default: in memory.</param>
    /// <exception cref="ArgumentException">A key is given, but no folder.</exception>
    public static RowStore StoreRows(this TransformsCatalog catalog, RowStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new RowStore(catalog.GetEnvironment(), options);
    }

    /// <summary>A view of the input that keeps each row when it is first read: what <c>ml.Data.Cache</c> does without images.</summary>
    /// <param name="catalog"><c>mlContext.Data</c>.</param>
    /// <param name="input">The rows.</param>
    /// <param name="folder">Where rows are kept (<see cref="RowStoreOptions.Folder"/>). Null, the default, is memory.</param>
    /// <param name="key">Words that tell these rows from others (<see cref="RowStoreOptions.Key"/>). Null, the default, is none.</param>
    /// <exception cref="ArgumentException">A key is given, but no folder.</exception>
    /// <exception cref="NotSupportedException">A column holds what cannot be kept.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static IDataView StoreRows(this DataOperationsCatalog catalog, IDataView input, string? folder = null, string? key = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new RowStore(catalog.GetEnvironment(), new RowStoreOptions { Folder = folder, Key = key }).Fit(input).Transform(input);
    }

    /// <summary>Rows in a random order, images included, the same order each time: what <c>ml.Data.ShuffleRows</c> does without images.</summary>
    /// <param name="catalog"><c>mlContext.Data</c>.</param>
    /// <param name="input">Rows that can be read in any order, such as those of a <see cref="RowStore"/>. All of them are computed first.</param>
    /// <param name="seed">Chooses the order. Null, the default: the context's seed, and 0 where it has none.</param>
    /// <exception cref="ArgumentException">The rows come in their own order only.</exception>
    public static IDataView ShuffleStoredRows(this DataOperationsCatalog catalog, IDataView input, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(input);
        return input.CanShuffle
            ? new ShuffledView(input, (int)ContextDefaults.Seed(catalog.GetEnvironment(), seed))
            : throw new ArgumentException(
                $"These rows come in their own order only. Keep them first: ml.Data.{nameof(StoreRows)}(input), or {nameof(AppendRowStore)} in a pipeline.",
                nameof(input));
    }
}
