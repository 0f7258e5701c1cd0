using Dsd.Common.Options;

namespace Dsd.Dataset.Formats;

/// <summary>How a dataset is written.</summary>
public sealed record DatasetWriteOptions
{
    /// <summary>The layout. Default <see cref="PairFormat.Parquet"/>.</summary>
    public PairFormat Format { get; init => field = OptionCheck.Defined(value, nameof(Format)); }

    /// <summary>Whether pairs that are not kept are written too; column <c>kept</c> tells them apart. Default false.</summary>
    public bool IncludeRejected { get; init; }

    /// <summary>The most references that a row can have: a grid has 16 panels at most.</summary>
    internal const int MostReferences = 15;

    /// <summary>
    /// How many references each row has, 1 to 15. More than 1 makes columns <c>conditioning_2</c> and so on; rows of a run with fewer are left out. Default 1.
    /// </summary>
    public int References { get; init => field = OptionCheck.Range(value, 1, MostReferences, nameof(References)); } = 1;

    /// <summary>
    /// Whether the columns of scores by axes are written (<see cref="DetailColumn.IsAxis"/>). Default false; <c>RunExport</c> writes them where a run has
    /// scores.
    /// </summary>
    public bool IncludeAxes { get; init; }

    /// <summary>Writes pictures as JPEG of this quality, 1 to 100. Null, the default: as PNG, without loss.</summary>
    public int? JpegQuality { get; init => field = OptionCheck.RangeOrNull(value, 1, 100, nameof(JpegQuality)); }

    /// <summary>
    /// A file ends before the row that would bring its content over this many bytes; 1 MB (10⁶) to 1 TB. Null, the default: 500 MB.
    /// An imagefolder has no such files, and must leave it null.
    /// </summary>
    public long? ShardBytes { get; init => field = OptionCheck.RangeOrNull(value, 1_000_000, 1_000_000_000_000, nameof(ShardBytes)); }

    /// <summary>Whether a dataset that stands at the target is replaced; anything else there never is. Default false.</summary>
    public bool Overwrite { get; init; }

    /// <summary>What the names of pictures end in.</summary>
    internal string PictureExtension => JpegQuality is null ? ".png" : ".jpg";
}
