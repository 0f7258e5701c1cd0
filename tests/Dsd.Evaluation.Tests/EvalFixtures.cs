using System.Text.Json;
using Dsd.Models.Weights;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests;

/// <summary>Reference outputs for picture similarity: the repository's own, or another folder of that layout.</summary>
internal static class EvalFixtures
{
    /// <summary>The folder named by <c>DSD_EVAL_FIXTURES</c>, or the repository's <c>tests/fixtures-eval</c>.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("DSD_EVAL_FIXTURES") is { Length: > 0 } given
        ? System.IO.Path.GetFullPath(given)
        : Own();

    /// <summary>Whether it is the repository's own set, which is thinned.</summary>
    public static bool IsOwn => Folder == Own();

    /// <summary>The texts, in order.</summary>
    public static string[] Texts { get; }

    /// <summary>The pictures' file names, in order.</summary>
    public static string[] Pictures { get; }

    /// <summary>Attention heads of CSD's network.</summary>
    public static int CsdHeads { get; }

    static EvalFixtures()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path("texts.json")));
        JsonElement root = document.RootElement;
        Texts = [.. root.GetProperty("texts").EnumerateArray().Select(t => t.GetString()!)];
        Pictures = [.. root.GetProperty("images").EnumerateArray().Select(t => t.GetString()!)];
        CsdHeads = root.GetProperty("csd_heads").GetInt32();
    }

    /// <summary>A path inside the folder.</summary>
    public static string Path(params string[] parts) => System.IO.Path.Combine([Folder, .. parts]);

    /// <summary>A path inside the repository's own set, whatever the variable says: for tests that know what it holds.</summary>
    public static string Own(params string[] parts) => System.IO.Path.Combine([Fixtures.Repository, "tests", "fixtures-eval", .. parts]);

    /// <summary>The reference outputs.</summary>
    public static SafetensorsFile Outputs() => SafetensorsFile.Open(Path("outputs.safetensors"));

    /// <summary>A tensor of real numbers.</summary>
    public static float[] Floats(this SafetensorsFile file, string name)
    {
        float[] values = new float[file.Entry(name).ElementCount];
        file.ReadFloats(name, 0, values);
        return values;
    }
}
