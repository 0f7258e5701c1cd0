using System.Text;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Imaging;

namespace Dsd.Lab.Measure;

/// <summary>Writes figures of looking across for people and for programs, with pictures.</summary>
internal static class LookFiles
{
    private const int Columns = 8;
    private const int Gap = 4;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Writes <c>look.json</c>, <c>look.md</c> and <c>look.png</c>.</summary>
    public static void Write(string folder, IReadOnlyList<LookFigures> figures, IReadOnlyList<Picture> sheet)
    {
        WriteJson(Path.Combine(folder, "look.json"), figures);
        string text = string.Concat(LookText.Section(figures).Select(line => line + "\n"));
        AtomicFile.Write(Path.Combine(folder, "look.md"), stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        WriteSheet(folder, sheet);
    }

    /// <summary>Writes <c>look.png</c> alone.</summary>
    public static void WriteSheet(string folder, IReadOnlyList<Picture> sheet) =>
        ContactSheet.Arrange(sheet, Columns, Gap).Save(Path.Combine(folder, "look.png"));

    /// <summary>Writes figures, or something with figures in it, as JSON.</summary>
    public static void WriteJson<T>(string file, T figures) => AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, figures, Json));

    /// <summary>Reads what <see cref="WriteJson"/> wrote.</summary>
    public static T ReadJson<T>(string file) => JsonSerializer.Deserialize<T>(File.ReadAllText(file), Json)
        ?? throw new JsonException($"'{file}' holds null.");
}
