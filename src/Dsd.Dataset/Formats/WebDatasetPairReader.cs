using System.Formats.Tar;
using Microsoft.Win32.SafeHandles;

namespace Dsd.Dataset.Formats;

/// <summary>Reads tars in which the files of one name, one behind the other, are a row.</summary>
internal sealed class WebDatasetPairReader : PairReader
{
    private const int MostMembers = 64;
    private const int Block = 512;

    private readonly IReadOnlyList<string> _files;
    private readonly PairDatasetOptions _options;

    public WebDatasetPairReader(IReadOnlyList<string> files, PairDatasetOptions options, CancellationToken cancel)
    {
        (_files, _options) = (files, options);
        using IEnumerator<Sample> samples = Samples(cancel).GetEnumerator();
        if (samples.MoveNext())
        {
            RowValues? first = Json(samples.Current);
            Details = first is not null && options.ReadDetails ? first.Columns() : [];
            _ = Record(samples.Current, first);
        }
    }

    public override IEnumerable<PairRecord> Read(CancellationToken cancel)
    {
        foreach (Sample sample in Samples(cancel))
        {
            yield return Record(sample, Json(sample));
        }
    }

    private PairRecord Record(Sample sample, RowValues? json) => new()
    {
        Source = sample.Place,
        Image = Picture(sample, _options.ImageColumn),
        Conditioning = Picture(sample, _options.ConditioningColumn),
        FurtherConditioning = _options.ReadDetails
            ?
            [
                .. PairRecord.FurtherColumns(_options.ConditioningColumn)
                    .TakeWhile(c => sample.Members.Keys.Any(m => m.StartsWith($"{c}.", StringComparison.OrdinalIgnoreCase))).Select(c => Picture(sample, c)),
            ]
            : [],
        Caption = Caption(sample, json),
        Details = json?.Details(Details, JsonPlace(sample)) ?? new PairDetails(),
    };

    private IEnumerable<Sample> Samples(CancellationToken cancel)
    {
        foreach (string file in _files)
        {
            using FileStream stream = Open(file);
            using TarReader reader = new(stream, leaveOpen: true);
            Sample? sample = null;
            long at = 0;
            while (Next(reader, stream, at, file) is { } entry)
            {
                cancel.ThrowIfCancellationRequested();
                string name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
                string place = $"'{file}', member '{(name.Length <= 200 ? name : $"{name[..200]}…")}'";
                // Only files have bytes; folders and links have none, whatever their headers say.
                long length = entry.EntryType is TarEntryType.Directory or TarEntryType.SymbolicLink or TarEntryType.HardLink ? 0 : entry.Length;
                if (length < 0 || length > stream.Length - entry.DataOffset)
                {
                    throw new DatasetException(
                        place, $"{length} bytes", $"{Math.Max(0, stream.Length - entry.DataOffset)} before the file ends: it is cut off");
                }
                at = entry.DataOffset + (length + Block - 1) / Block * Block;
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
                {
                    continue;
                }
                if (entry is PaxTarEntry pax && pax.ExtendedAttributes.Keys.Any(k => k.StartsWith("GNU.sparse.", StringComparison.Ordinal)))
                {
                    throw TarHeaders.Sparse(place);
                }
                if (name.Contains('\uFFFD'))
                {
                    throw new DatasetException(place, "a name in UTF-8", "other bytes. Write the tar with names in UTF-8");
                }
                int dot = name.IndexOf('.', name.LastIndexOf('/') + 1);
                if (dot <= name.LastIndexOf('/') + 1)
                {
                    // A file without an ending, or a hidden one, belongs to no row.
                    continue;
                }
                string key = name[..dot];
                if (sample is not null && sample.Key != key)
                {
                    yield return sample;
                    sample = null;
                }
                sample ??= new Sample(file, key, stream.SafeFileHandle);
                if (sample.Members.Count == MostMembers || !sample.Members.TryAdd(name[(dot + 1)..].ToLowerInvariant(), (entry.DataOffset, entry.Length)))
                {
                    throw new DatasetException(
                        sample.Place, $"at most {MostMembers} members of different names", sample.Members.Count == MostMembers ? "more" : $"'{name}' twice");
                }
            }
            if (sample is not null)
            {
                yield return sample;
            }
        }
    }

    /// <summary>The next member; null at the end.</summary>
    private static TarEntry? Next(TarReader reader, FileStream stream, long at, string file)
    {
        TarHeaders.Check(stream.SafeFileHandle, at, file);
        try
        {
            return reader.GetNextEntry();
        }
        catch (Exception e) when (e is not (IOException or UnauthorizedAccessException) or EndOfStreamException)
        {
            throw new DatasetException(TarHeaders.Place(file, at), "a tar", $"a file that is damaged or no tar ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static EncodedPicture Picture(Sample sample, string column)
    {
        string[] members = [.. sample.Members.Keys.Where(
            m => m.StartsWith($"{column}.", StringComparison.OrdinalIgnoreCase) && DatasetFiles.PictureEndings.Contains(m[(column.Length + 1)..]))];
        if (members is not [string member])
        {
            throw new DatasetException(
                sample.Place,
                $"one member '{column}' that is a picture, such as '{column}.png'",
                members.Length == 0 ? $"only {sample.Names}" : string.Join(" and ", members.Select(m => $"'{m}'")));
        }
        string place = $"{sample.Place}, member '{member}'";
        return new EncodedPicture($"{Path.GetFileName(sample.Key)}.{member}", place, () => sample.Bytes(member, Imaging.Picture.MaxEncodedBytes));
    }

    private string Caption(Sample sample, RowValues? json)
    {
        if (json is not null && json.Has(_options.CaptionColumn))
        {
            return json.Text(_options.CaptionColumn, JsonPlace(sample));
        }
        string place = $"{sample.Place}, member 'txt'";
        return sample.Members.ContainsKey("txt")
            ? StrictText.Decode(StrictText.Checked(sample.Bytes("txt", JsonValues.MaxBytes), place).Span, place)
            : throw new DatasetException(sample.Place, $"a caption: '{_options.CaptionColumn}' in a member 'json', or a member 'txt'", $"only {sample.Names}");
    }

    private static RowValues? Json(Sample sample) =>
        sample.Members.ContainsKey("json") ? JsonValues.Parse(sample.Bytes("json", JsonValues.MaxBytes), JsonPlace(sample)) : null;

    private static string JsonPlace(Sample sample) => $"{sample.Place}, member 'json'";

    /// <summary>The members of one name. Their bytes lie in the tar, and are read from there.</summary>
    private sealed class Sample(string file, string key, SafeFileHandle handle)
    {
        public string Key => key;

        public string Place => $"'{file}', sample '{(key.Length <= 200 ? key : $"{key[..200]}…")}'";

        public Dictionary<string, (long Offset, long Length)> Members { get; } = [];

        public string Names => string.Join(", ", Members.Keys.Take(10).Select(m => $"'{m}'"));

        public ReadOnlyMemory<byte> Bytes(string member, int most)
        {
            if (handle.IsClosed)
            {
                throw Gone($"{Place}, member '{member}'");
            }
            (long offset, long length) = Members[member];
            if (length > most)
            {
                throw new DatasetException($"{Place}, member '{member}'", $"at most {most} bytes", $"{length}");
            }
            byte[] bytes = new byte[length];
            for (int read = 0, more; read < bytes.Length; read += more)
            {
                more = RandomAccess.Read(handle, bytes.AsSpan(read), offset + read);
                if (more == 0)
                {
                    throw new DatasetException($"{Place}, member '{member}'", $"{length} bytes", $"{read}: the file was cut off");
                }
            }
            return bytes;
        }
    }
}
