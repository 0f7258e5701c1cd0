namespace Dsd.Dataset.Formats;

/// <summary>How a dataset is written.</summary>
public sealed record DatasetWriteOptions
{
    /// <summary>The layout. Default <see cref="PairFormat.Parquet"/>.</summary>
    public PairFormat Format
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(Format), value, $"Option {nameof(Format)} must be one of {string.Join(", ", Enum.GetNames<PairFormat>())}, but is {value}.");
    }

    /// <summary>Whether pairs that are not kept are written too; column <c>kept</c> tells them apart. Default false.</summary>
    public bool IncludeRejected { get; init; }

    /// <summary>Writes pictures as JPEG of this quality, 1 to 100. Null, the default: as PNG, without loss.</summary>
    public int? JpegQuality
    {
        get;
        init => field = value is null or (>= 1 and <= 100) ? value : throw new ArgumentOutOfRangeException(nameof(JpegQuality), value, $"Option {nameof(JpegQuality)} must lie between 1 and 100, but is {value}.");
    }

    /// <summary>
    /// A file is ended before the row that would bring what it holds over this many bytes; 1 MB (10⁶) to 1 TB. Null, the default: 500 MB. An imagefolder has no such files, and
    /// must leave it null.
    /// </summary>
    public long? ShardBytes
    {
        get;
        init => field = value is null or (>= 1_000_000 and <= 1_000_000_000_000)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ShardBytes), value, $"Option {nameof(ShardBytes)} must lie between 1000000 and 1000000000000, but is {value}.");
    }

    /// <summary>Whether a dataset that stands at the target is replaced; anything else there never is. Default false.</summary>
    public bool Overwrite { get; init; }
}
