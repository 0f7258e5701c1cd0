using Dsd.Dataset.Formats;
using Dsd.MLNet.Data;
using Microsoft.ML;

namespace Dsd.MLNet;

/// <summary>Datasets of pairs as data views: an extension of <c>mlContext.Data</c>.</summary>
public static class PairsLoaderCatalog
{
    /// <summary>
    /// Loads a dataset of pairs, as <c>dsd dataset write</c> makes them or others publish them (<c>primecai/dsd_data</c>): Parquet files with
    /// pictures, an imagefolder with <c>metadata.jsonl</c>, <c>metadata.csv</c> or <c>metadata.parquet</c>, or WebDataset tars. What lies there
    /// decides which. The view feeds <see cref="LoraFineTuner"/> as it is.
    /// </summary>
    /// <remarks>
    /// <list type="table">
    /// <item><term>Columns</term><description><c>Reference</c>, <c>Target</c> (images), <c>Prompt</c> (text).</description></item>
    /// <item><term>And where the dataset has them</term><description>
    /// <c>Kept</c> (Boolean), <c>Confidence</c>, <c>Same</c> (Single; 1 is yes, 0 no, NaN where there is no verdict), <c>Votes</c> (Int32),
    /// <c>Id</c>, <c>PairId</c>, <c>CaptionKey</c>, <c>Reviewed</c>, <c>Status</c>, <c>Subject</c>, <c>TargetDescription</c>,
    /// <c>ReferenceDescription</c>, <c>Reason</c>, <c>Judge</c>, <c>Model</c> (text), <c>Differences</c>, <c>Flags</c> (vectors of text).
    /// <see cref="PairDetails"/> says what each holds.</description></item>
    /// <item><term>Rows</term><description>one for each row of the dataset, in its order. Each cursor reads from the beginning. Pictures are read and
    /// decoded where their column is asked for only, and turned as their Exif says, which ML.NET's own loading of images does not do.</description></item>
    /// </list>
    /// The image columns state no size, so a row class reads them into a property of type <see cref="Microsoft.ML.Data.MLImage"/> without an <c>ImageType</c>.
    /// The files must stay as they are while the view is used. An error in a row is a <see cref="DsdRowException"/> that names the row.
    /// </remarks>
    /// <param name="catalog"><c>mlContext.Data</c>.</param>
    /// <param name="path">A folder, or one of its files: a Parquet file, a tar, or an imagefolder's metadata.</param>
    /// <param name="options">The columns' names, and what is read; null is the defaults.</param>
    /// <exception cref="DatasetException">It is no dataset of pairs; the message says what lies there.</exception>
    /// <exception cref="ArgumentException">Two columns have the same name.</exception>
    /// <exception cref="IOException">There is nothing at the path, or it cannot be read.</exception>
    public static IDataView LoadPairs(this DataOperationsCatalog catalog, string path, PairsLoaderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        options ??= new PairsLoaderOptions();
        return new PairsView(PairDataset.Open(path, options.Dataset), options);
    }
}
