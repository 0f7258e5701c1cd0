using System.Text.Json;
using Dsd.Common.Files;

namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>
/// The stories of ViStoryBench (Hugging Face <c>ViStoryBench/ViStoryBench</c>): a folder with <c>NN/story.json</c> and <c>NN/image/CHARACTER/00.jpg</c>. What
/// is in it is untrusted.
/// </summary>
public sealed class StoryFolder
{
    private const int MostStories = 10_000;
    private const int MostImages = 1000;
    private const int MostJsonBytes = 8 * 1024 * 1024;

    private const string Appearing = "Characters Appearing.en";

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg"];
    private static readonly string[] LiteIds =
        ["01", "08", "09", "15", "17", "19", "24", "27", "28", "29", "32", "41", "52", "53", "55", "57", "60", "64", "68", "79"];

    private StoryFolder(string path, IReadOnlyList<string> ids) => (Path, Ids) = (path, ids);

    /// <summary>The ids of the benchmark's small part.</summary>
    public static IReadOnlyList<string> Lite => LiteIds;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The ids of all stories, by number.</summary>
    public IReadOnlyList<string> Ids { get; }

    /// <summary>Finds the stories in a folder. Their files are not read.</summary>
    /// <param name="path">The folder, called <c>ViStory</c> in the benchmark.</param>
    /// <exception cref="InvalidDataException">It has no story.</exception>
    public static StoryFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string[] ids = Directory.Exists(path)
            ? [.. Directory.EnumerateDirectories(path).Select(folder => System.IO.Path.GetFileName(folder)!).Where(IsId).Take(MostStories + 1)]
            : [];
        return ids.Length is > 0 and <= MostStories
            ? new StoryFolder(path, [.. ids.OrderBy(int.Parse).ThenBy(id => id, StringComparer.Ordinal)])
            : throw new InvalidDataException(
                $"Folder '{path}': expected 1 to {MostStories} stories as ViStoryBench has them (01/story.json), found {(ids.Length == 0 ? "none" : "more")}.");
    }

    /// <summary>Reads a story.</summary>
    /// <param name="id">One of <see cref="Ids"/>.</param>
    /// <param name="language">Whose texts: <c>en</c> or <c>ch</c>. Characters are named by their English keys in both.</param>
    /// <remarks>As in the original code, a shot that lacks one of its fields is left out.</remarks>
    /// <exception cref="InvalidDataException">Its <c>story.json</c> is missing or is none; the message names file and field.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public Story Load(string id, string language = "en")
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        ArgumentException.ThrowIfNullOrEmpty(language);
        if (!Ids.Contains(id, StringComparer.Ordinal))
        {
            throw new ArgumentException($"Story '{id}': expected one of {string.Join(", ", Ids.Take(100))}.", nameof(id));
        }
        string file = System.IO.Path.Combine(Path, id, "story.json");
        InvalidDataException Wrong(string expected, string found) => new($"File '{file}': expected {expected}, found {found}.");
        if (!File.Exists(file))
        {
            throw Wrong("a story of ViStoryBench", "no such file");
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(SmallFile.Utf8(file, MostJsonBytes, Wrong));
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object
                ? new Story(id, [.. Shots(root, language, Wrong)], [.. Characters(root, System.IO.Path.Combine(Path, id, "image"), language, Wrong)])
                : throw Wrong("an object", $"{root.ValueKind}");
        }
        catch (JsonException e)
        {
            throw Wrong("a story in JSON", JsonFault.Of(e));
        }
        catch (InvalidOperationException)
        {
            throw Wrong("texts of whole characters", "half a surrogate pair");
        }
    }

    private static IEnumerable<StoryShot> Shots(JsonElement root, string language, SmallFile.Refusal wrong)
    {
        if (!root.TryGetProperty("Shots", out JsonElement shots))
        {
            yield break;
        }
        foreach (JsonElement shot in Listed(shots, "Shots", wrong))
        {
            string[] fields = ["Setting Description", "Plot Correspondence", "Characters Appearing", "Static Shot Description", "Shot Perspective Design"];
            if (shot.ValueKind != JsonValueKind.Object || fields.Any(f => !shot.TryGetProperty(f, out _)))
            {
                continue;
            }
            JsonElement index = shot.TryGetProperty("index", out JsonElement given)
                ? given
                : throw wrong("a field 'index' in each of 'Shots'", "a shot without");
            int number = index.ValueKind == JsonValueKind.Number && index.TryGetInt32(out int whole) && whole is >= 0 and < 100_000
                || index.ValueKind == JsonValueKind.String && int.TryParse(index.GetString(), out whole) && whole is >= 0 and < 100_000
                ? whole
                : throw wrong("a whole number from 0 to 99999 as a shot's 'index'", index.GetRawText());
            JsonElement keys = shot.GetProperty("Characters Appearing") is { ValueKind: JsonValueKind.Object } languages
                && languages.TryGetProperty("en", out JsonElement english) ? english : default;
            yield return new StoryShot(
                number,
                keys.ValueKind == JsonValueKind.Undefined ? [] : [.. Listed(keys, Appearing, wrong).Select(key => Text(key, Appearing, wrong))],
                Said(fields[0]), Said(fields[1]), Said(fields[3]), Said(fields[4]));

            string Said(string field) =>
                shot.GetProperty(field) is { ValueKind: JsonValueKind.Object } texts && texts.TryGetProperty(language, out JsonElement text)
                    ? Text(text, field, wrong)
                    : "";
        }
    }

    private static IEnumerable<StoryCharacter> Characters(JsonElement root, string images, string language, SmallFile.Refusal wrong)
    {
        if (!root.TryGetProperty("Characters", out JsonElement characters))
        {
            yield break;
        }
        if (characters.ValueKind != JsonValueKind.Object)
        {
            throw wrong("an object 'Characters'", $"{characters.ValueKind}");
        }
        foreach (JsonProperty character in characters.EnumerateObject())
        {
            string key = character.Name;
            // Keys are names of folders, and the file may come from anywhere.
            if (key is "" or "." or ".." || key.AsSpan().IndexOfAny('/', '\\', '\0') >= 0)
            {
                throw wrong("a character's name that can be that of a folder", $"'{key}'");
            }
            yield return new StoryCharacter(
                key, Said($"name_{language}"), Said($"prompt_{language}"), Said("tag"), Images(System.IO.Path.Combine(images, key), wrong));

            string Said(string field) => character.Value.ValueKind == JsonValueKind.Object && character.Value.TryGetProperty(field, out JsonElement text)
                ? Text(text, field, wrong)
                : "";
        }
    }

    // Files before those of inner folders, each sorted by name.
    private static string[] Images(string folder, SmallFile.Refusal wrong)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }
        string[] images =
        [
            .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(file => Extensions.Contains(System.IO.Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                .Take(MostImages + 1),
        ];
        return images.Length <= MostImages
            ? [.. images.OrderBy(file => file.Count(c => c == System.IO.Path.DirectorySeparatorChar)).ThenBy(file => file, StringComparer.Ordinal)]
            : throw wrong($"at most {MostImages} pictures of a character", $"more in '{folder}'");
    }

    private static JsonElement.ArrayEnumerator Listed(JsonElement list, string field, SmallFile.Refusal wrong) =>
        list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : throw wrong($"a list '{field}'", $"{list.ValueKind}");

    private static string Text(JsonElement text, string field, SmallFile.Refusal wrong) => text.ValueKind switch
    {
        JsonValueKind.String => text.GetString()!,
        JsonValueKind.Array => string.Join(", ", text.EnumerateArray().Select(t => Text(t, field, wrong))),
        _ => throw wrong($"a text in '{field}'", $"{text.ValueKind}"),
    };

    private static bool IsId(string name) => name.Length is > 0 and <= 6 && name.All(char.IsAsciiDigit);
}
