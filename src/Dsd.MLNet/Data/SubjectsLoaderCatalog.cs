using Dsd.MLNet.Data;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>Pictures of one's own as data views: an extension of <c>mlContext.Data</c>.</summary>
public static class SubjectsLoaderCatalog
{
    /// <summary>
    /// Loads the pairs of a folder by subject: each folder in it is a subject and holds its pictures (PNG, JPEG, WebP, BMP), and each two of a subject give
    /// two rows, either as the reference once. <see cref="PairCurator"/> judges them, and <see cref="LoraFineTuner"/> trains on them.
    /// </summary>
    /// <remarks>
    /// <list type="table">
    /// <item><term>Columns</term><description><c>Reference</c>, <c>Target</c> (images), <c>Subject</c>, <c>Prompt</c>, <c>ReferencePath</c>,
    /// <c>TargetPath</c> (text).</description></item>
    /// <item><term>Rows</term><description>subject by subject, in the order of names. Pictures are read and decoded where their column is asked for only, and
    /// turned as their Exif says.</description></item>
    /// </list>
    /// Names are read once, now. A file that is gone or no picture is a <see cref="DsdRowException"/> that names row and file.
    /// </remarks>
    /// <param name="catalog"><c>mlContext.Data</c>.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="options">Which pairs, and the columns' names; null is the defaults.</param>
    /// <exception cref="ArgumentException">Two columns have the same name.</exception>
    /// <exception cref="IOException">There is no such folder, or no subject in it has two pictures.</exception>
    public static IDataView LoadSubjects(this DataOperationsCatalog catalog, string folder, SubjectsLoaderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ColumnTypes.Register();
        options ??= new SubjectsLoaderOptions();
        StageHost host = new(catalog.GetEnvironment(), nameof(LoadSubjects), default);
        return new SubjectsView(new SubjectFolder(folder, options, host.Warn), options);
    }
}
