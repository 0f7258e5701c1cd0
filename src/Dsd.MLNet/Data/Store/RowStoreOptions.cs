using Dsd.Common.Options;

namespace Dsd.MLNet;

/// <summary>Where a <see cref="RowStore"/> keeps rows, and what tells them from others.</summary>
public sealed record RowStoreOptions
{
    /// <summary>
    /// The folder that rows are kept in, each input's in a folder of its own below it. It is made if need be, and stays. Null, the default, is memory: rows
    /// are kept as long as the view that <see cref="RowStoreTransformer.Transform"/> gave.
    /// </summary>
    public string? Folder { get; init => field = OptionCheck.TextOrNull(value, nameof(Folder)); }

    /// <summary>
    /// Words that tell these rows from others of the same description, up to 1000 characters: a version of the input's pictures, say, or the name of a chat
    /// model. Null, the default, is none. Only a store in a folder knows rows again, so it is refused without <see cref="Folder"/>.
    /// </summary>
    public string? Key
    {
        get;
        init => field = value is not { Length: > 1000 }
            ? OptionCheck.TextOrNull(value, nameof(Key))
            : throw new ArgumentException($"Option {nameof(Key)} must hold at most 1000 characters, but has {value.Length}.", nameof(Key));
    }
}
