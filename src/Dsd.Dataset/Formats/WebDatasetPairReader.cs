using System.Formats.Tar;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Dsd.Dataset.Formats;

/// <summary>Reads tars in which the files of one name, one behind the other, are a row.</summary>
internal sealed class WebDatasetPairReader : PairReader
{
    private const int MostMembers = 64;
    private static readonly HashSet<string> PictureEndings = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

    private readonly IReadOnlyList<string> _files;
    private readonly PairDatasetOptions _options;

    public WebDatasetPairReader(IReadOnlyList<string> files, PairDatasetOptions options)
    {
        (_files, _options) = (files, options);
        using IEnumerator<Sample> samples = Samples().GetEnumerator();
        if (samples.MoveNext())
        {
            using JsonDocument? first = Json(samples.Current);
            Details = first is not null && options.ReadDetails ? DetailsJson.Columns(first.RootElement) : [];
            _ = Record(samples.Current, first);
        }
    }

    public override IEnumerable<PairRecord> Read()
    {
        foreach (Sample sample in Samples())
        {
            using JsonDocument? json = Json(sample);
            yield return Record(sample, json);
        }
    }

    private PairRecord Record(Sample sample, JsonDocument? json) => new()
    {
        Source = sample.Place,
        Image = Picture(sample, _options.ImageColumn),
        Conditioning = Picture(sample, _options.ConditioningColumn),
        Caption = Caption(sample, json),
        Details = json is null ? new PairDetails() : DetailsJson.Details(json.RootElement, Details, $"{sample.Place}, member 'json'"),
    };

    private IEnumerable<Sample> Samples()
    {
        foreach (string file in _files)
        {
            using FileStream stream = Open(file);
            using TarReader reader = new(stream, leaveOpen: true);
            Sample? sample = null;
            while (Next(reader, file) is { } entry)
            {
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                {
                    continue;
                }
                string name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
                int dot = name.IndexOf('.', name.LastIndexOf('/') + 1);
                if (dot <= name.LastIndexOf('/') + 1)
                {
                    // A file without an ending, or a hidden one, belongs to no row.
                    continue;
                }
                if (entry.DataOffset + entry.Length > stream.Length)
                {
                    throw new DatasetException($"'{file}', member '{name}'", $"{entry.Length} bytes", $"{Math.Max(0, stream.Length - entry.DataOffset)} before the file ends: it is cut off");
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
                    throw new DatasetException(sample.Place, $"at most {MostMembers} members of different names", sample.Members.Count == MostMembers ? "more" : $"'{name}' twice");
                }
            }
            if (sample is not null)
            {
                yield return sample;
            }
        }
    }

    private static TarEntry? Next(TarReader reader, string file)
    {
        try
        {
            return reader.GetNextEntry();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or NotSupportedException)
        {
            throw new DatasetException($"'{file}'", "a tar", $"a file that is damaged or no tar ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static EncodedPicture Picture(Sample sample, string column)
    {
        string[] members = [.. sample.Members.Keys.Where(m => m.StartsWith($"{column}.", StringComparison.OrdinalIgnoreCase) && PictureEndings.Contains(m[(column.Length + 1)..]))];
        if (members is not [string member])
        {
            throw new DatasetException(sample.Place, $"one member '{column}' that is a picture, such as '{column}.png'", members.Length == 0 ? $"only {sample.Names}" : string.Join(" and ", members.Select(m => $"'{m}'")));
        }
        string place = $"{sample.Place}, member '{member}'";
        return new EncodedPicture($"{Path.GetFileName(sample.Key)}.{member}", place, () => sample.Bytes(member, Imaging.Picture.MaxEncodedBytes));
    }

    private string Caption(Sample sample, JsonDocument? json)
    {
        if (json is not null && json.RootElement.TryGetProperty(_options.CaptionColumn, out _))
        {
            return DetailsJson.Text(json.RootElement, _options.CaptionColumn, $"{sample.Place}, member 'json'");
        }
        return sample.Members.ContainsKey("txt")
            ? Encoding.UTF8.GetString(sample.Bytes("txt", DetailsJson.MaxBytes).Span)
            : throw new DatasetException(sample.Place, $"a caption: '{_options.CaptionColumn}' in a member 'json', or a member 'txt'", $"only {sample.Names}");
    }

    private static JsonDocument? Json(Sample sample) =>
        sample.Members.ContainsKey("json") ? DetailsJson.Parse(sample.Bytes("json", DetailsJson.MaxBytes), $"{sample.Place}, member 'json'") : null;

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
