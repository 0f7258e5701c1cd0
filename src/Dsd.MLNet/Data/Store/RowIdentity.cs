using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dsd.MLNet.Curation;
using Dsd.MLNet.Stages.Rows;
using Microsoft.ML;

namespace Dsd.MLNet.Data.Store;

/// <summary>What a store in a folder knows rows again by.</summary>
/// <param name="Name">The name of their folder.</param>
/// <param name="Description">What they are, for people: the stages above, the first one last.</param>
internal sealed record RowIdentity(string Name, IReadOnlyList<string> Description)
{
    /// <summary>The identity of a view's rows. What the stages above began with is read once, without its images.</summary>
    public static RowIdentity Of(IDataView view, string? key)
    {
        List<string> description = [];
        IDataView origin = view;
        while (Above(origin, description) is { } source)
        {
            origin = source;
        }
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, $"1 {key}");
        foreach (DataViewSchema schema in new[] { view.Schema, origin.Schema })
        {
            Add(hash, string.Join('\n', schema.Select(c => $"{c.Name} {c.Type}")));
        }
        foreach (string stage in description)
        {
            Add(hash, stage);
        }
        AddRows(hash, origin);
        return new RowIdentity(Convert.ToHexStringLower(hash.GetHashAndReset())[..32], description);
    }

    private static IDataView? Above(IDataView view, List<string> description)
    {
        (string? stage, IDataView? source) = view switch
        {
            MappedView mapped => (mapped.Description, mapped.Source),
            CuratedView curated => (curated.Description, curated.Source),
            RepeatedView repeated => (null, repeated.Source),
            StoredView stored => (null, stored.Source),
            ShuffledView shuffled => ($"shuffled {shuffled.Seed}", shuffled.Source),
            _ => (null, null),
        };
        if (stage is not null)
        {
            description.Add(stage);
        }
        return source;
    }

    private static void AddRows(IncrementalHash hash, IDataView origin)
    {
        DataViewSchema.Column[] columns = [.. origin.Schema.Where(c => !c.IsHidden && RowCodec.IsPlain(c.Type))];
        using DataViewRowCursor cursor = origin.GetRowCursor(columns);
        RowCodec codec = new(origin.Schema, columns);
        Func<byte[]> read = codec.Reader(cursor);
        while (cursor.MoveNext())
        {
            Add(hash, read());
        }
    }

    private static void Add(IncrementalHash hash, string text) => Add(hash, Encoding.UTF8.GetBytes(text));

    private static void Add(IncrementalHash hash, byte[] bytes)
    {
        byte[] length = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
