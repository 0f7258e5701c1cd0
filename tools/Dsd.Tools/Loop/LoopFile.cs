using System.Text;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Tools.Train;

namespace Dsd.Tools.Loop;

/// <summary>A file of <c>dsd run</c> as it was written: sections, their keys and values, and the line of each.</summary>
internal sealed class LoopFile
{
    // A page of options has a few thousand.
    private const int MostBytes = 1 << 20;

    private LoopFile(string path) => Path = path;

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The folder that relative paths in it begin at.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

    /// <summary>Keys outside of sections: <c>out</c>, <c>model</c>, <c>device</c>.</summary>
    public List<LoopKey> Shared { get; } = [];

    /// <summary>The sections in the file's order; one that is a list stands here once for each of its parts.</summary>
    public List<(string Name, int Line, List<LoopKey> Keys)> Sections { get; } = [];

    /// <summary>Reads a file.</summary>
    /// <exception cref="UsageException">It is no such file; the message names the line.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static LoopFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"'{path}': expected the file of a run, found no such file.");
        }
        LoopFile file = new(path);
        string text = SmallFile.Text(path, MostBytes, (expected, found) => new UsageException($"'{path}': expected {expected}, found {found}."));
        try
        {
            file.Read(Encoding.UTF8.GetBytes(YamlText.ToJson(text)));
        }
        catch (JsonException e)
        {
            throw new UsageException($"'{path}': expected sections with options, found {JsonFault.Of(e)}.", e);
        }
        return file;
    }

    /// <summary>A complaint about a place of the file.</summary>
    public UsageException Fault(int line, string what) => new($"'{Path}', line {line}: {what}");

    private void Read(byte[] json)
    {
        Utf8JsonReader reader = new(json);
        int line = 1, counted = 0;
        HashSet<string> names = [];
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Fault(1, "expected sections, such as 'curate:' and 'train:', found none.");
        }
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            int at = line;
            if (!names.Add(name))
            {
                throw Fault(at, $"'{name}' stands twice.");
            }
            switch (Next(ref reader))
            {
                case JsonTokenType.StartObject:
                    Sections.Add((name, at, Keys(ref reader, name)));
                    break;
                case JsonTokenType.StartArray:
                    Parts(ref reader, name, at);
                    break;
                default:
                    Shared.Add(new LoopKey(name, at, [Scalar(ref reader, name)], IsList: false));
                    break;
            }
        }

        JsonTokenType Next(ref Utf8JsonReader reader)
        {
            reader.Read();
            line += json.AsSpan(counted, (int)reader.TokenStartIndex - counted).Count((byte)'\n');
            counted = (int)reader.TokenStartIndex;
            return reader.TokenType;
        }

        void Parts(ref Utf8JsonReader reader, string name, int at)
        {
            int parts = 0;
            while (Next(ref reader) != JsonTokenType.EndArray)
            {
                if (reader.TokenType != JsonTokenType.StartObject)
                {
                    throw Fault(line, $"expected options behind each '-' of '{name}', found a single value.");
                }
                int first = line;
                Sections.Add((name, first, Keys(ref reader, name)));
                parts++;
            }
            if (parts == 0)
            {
                throw Fault(at, $"the list of '{name}' is empty: leave the section out.");
            }
        }

        List<LoopKey> Keys(ref Utf8JsonReader reader, string section)
        {
            List<LoopKey> keys = [];
            while (Next(ref reader) == JsonTokenType.PropertyName)
            {
                string key = reader.GetString()!;
                int at = line;
                if (keys.Any(k => k.Name == key))
                {
                    throw Fault(at, $"section '{section}', key '{key}': it stands twice.");
                }
                if (Next(ref reader) != JsonTokenType.StartArray)
                {
                    keys.Add(new LoopKey(key, at, [Scalar(ref reader, key)], IsList: false));
                    continue;
                }
                List<string> values = [];
                while (Next(ref reader) != JsonTokenType.EndArray)
                {
                    values.Add(Scalar(ref reader, key));
                }
                keys.Add(new LoopKey(key, at, values, IsList: true));
            }
            return keys;
        }

        // Numbers stay as they were written: the command reads them.
        string Scalar(ref Utf8JsonReader reader, string key) => reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString()!,
            JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
            JsonTokenType.True => LoopKey.Yes,
            JsonTokenType.False => LoopKey.No,
            JsonTokenType.Null => throw Fault(line, $"key '{key}' has no value. Give one, or leave the key out."),
            _ => throw Fault(line, $"key '{key}' holds other keys, and an option has none."),
        };
    }
}
