using System.Text.Json;

namespace Dsd.Models.Weights;

/// <summary>Reads and checks the JSON header of a safetensors file. Nothing in it is taken on trust.</summary>
internal static class SafetensorsHeader
{
    /// <summary>The reference implementation's own bound.</summary>
    public const long MaxLength = 100_000_000;

    /// <summary>The tensors in the order of the header, and the metadata; checked against the bytes that follow the header.</summary>
    public static (Dictionary<string, TensorEntry> Entries, Dictionary<string, string> Metadata) Parse(
        string file, ReadOnlyMemory<byte> header, long dataLength)
    {
        if (header.Length == 0 || header.Span[0] != (byte)'{')
        {
            throw new SafetensorsException(file, null, "a header that begins with '{'", header.Length == 0 ? "an empty header" : $"byte 0x{header.Span[0]:x2}");
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = true });
            Dictionary<string, TensorEntry> entries = [];
            Dictionary<string, string> metadata = [];
            bool hasMetadata = false;
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                string name = property.Name;
                if (name == "__metadata__")
                {
                    if (hasMetadata)
                    {
                        throw new SafetensorsException(file, null, "one '__metadata__'", "two");
                    }
                    hasMetadata = true;
                    metadata = Metadata(file, property.Value);
                }
                else if (!entries.TryAdd(name, Entry(file, name, property.Value)))
                {
                    throw new SafetensorsException(file, name, "each name once", "the name twice");
                }
            }
            CheckLayout(file, entries.Values, dataLength);
            return (entries, metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SafetensorsException(file, null, "a header in JSON", $"text that cannot be read ({e.Message})", e);
        }
    }

    private static Dictionary<string, string> Metadata(string file, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new SafetensorsException(file, null, "'__metadata__' as an object", $"{value.ValueKind}");
        }
        Dictionary<string, string> metadata = [];
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
            {
                throw new SafetensorsException(file, null, $"metadata '{property.Name}' as text", $"{property.Value.ValueKind}");
            }
            if (!metadata.TryAdd(property.Name, property.Value.GetString()!))
            {
                throw new SafetensorsException(file, null, $"metadata '{property.Name}' once", "it twice");
            }
        }
        return metadata;
    }

    private static TensorEntry Entry(string file, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new SafetensorsException(file, name, "an object with dtype, shape and data_offsets", $"{value.ValueKind}");
        }
        JsonElement dtype = Field(file, name, value, "dtype", JsonValueKind.String);
        string type = dtype.GetString()!;
        int bits = DTypes.Bits(type);
        if (bits == 0)
        {
            throw new SafetensorsException(file, name, $"a dtype among {DTypes.Listed}", $"'{Short(type)}'");
        }
        long[] shape = Numbers(file, name, Field(file, name, value, "shape", JsonValueKind.Array), "shape");
        long[] offsets = Numbers(file, name, Field(file, name, value, "data_offsets", JsonValueKind.Array), "data_offsets");
        if (offsets.Length != 2 || offsets[0] > offsets[1])
        {
            throw new SafetensorsException(file, name, "data_offsets as [begin, end] with begin <= end", $"[{string.Join(", ", offsets.Take(4))}]");
        }
        TensorEntry entry = new(name, type, shape, offsets[0], offsets[1]);
        long inAll;
        try
        {
            inAll = shape.Aggregate((long)bits, (product, length) => checked(product * length));
        }
        catch (OverflowException e)
        {
            throw new SafetensorsException(file, name, "a size that fits into 64 bits", $"{entry}", e);
        }
        if (inAll % 8 != 0)
        {
            throw new SafetensorsException(file, name, "elements that fill whole bytes", $"{inAll} bits of {entry}");
        }
        return inAll / 8 == entry.ByteLength
            ? entry
            : throw new SafetensorsException(file, name, $"{inAll / 8} bytes for {entry}", $"{entry.ByteLength} bytes between its offsets");
    }

    private static JsonElement Field(string file, string name, JsonElement value, string field, JsonValueKind kind)
    {
        JsonElement[] found = [.. value.EnumerateObject().Where(p => p.NameEquals(field)).Select(p => p.Value)];
        return found.Length == 1 && found[0].ValueKind == kind
            ? found[0]
            : throw new SafetensorsException(
                file, name, $"'{field}' once, as {kind}", found.Length == 1 ? $"{found[0].ValueKind}" : $"it {found.Length} times");
    }

    private static long[] Numbers(string file, string name, JsonElement array, string field) =>
        [.. array.EnumerateArray().Select(number =>
            number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out long value) && value >= 0
                ? value
                : throw new SafetensorsException(file, name, $"'{field}' of whole numbers of at least zero", $"{Short(number.GetRawText())}"))];

    /// <summary>Tensors must fill the data without a gap, an overlap or a rest, as the format asks.</summary>
    private static void CheckLayout(string file, IEnumerable<TensorEntry> entries, long dataLength)
    {
        long end = 0;
        foreach (TensorEntry entry in entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin != end)
            {
                string fault = entry.Begin < end ? "an overlap" : "a gap";
                throw new SafetensorsException(
                    file, entry.Name, $"data that begins at {end}, where the tensor before it ends", $"{fault}: it begins at {entry.Begin}");
            }
            if (entry.End > dataLength)
            {
                throw new SafetensorsException(
                    file, entry.Name, $"data that ends within the file's {dataLength} bytes of data",
                    $"an end at {entry.End}: the file is truncated or its header is wrong");
            }
            end = entry.End;
        }
        if (end != dataLength)
        {
            throw new SafetensorsException(file, null, $"{end} bytes of data after the header", $"{dataLength}");
        }
    }

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
