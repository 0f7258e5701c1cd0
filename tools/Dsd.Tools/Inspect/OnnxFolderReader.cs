using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>Looks through a folder of exported ONNX models and keeps going where one is broken.</summary>
internal static class OnnxFolderReader
{
    /// <summary>The file that makes a folder one of models that draw.</summary>
    public const string Manifest = "dsd.json";

    /// <summary>The file that makes a folder one of an encoder that pictures are measured with.</summary>
    public const string EncoderManifest = "encoder.json";

    private const int MaxModels = 64;

    /// <summary>Which of these files a folder has; null where it has none.</summary>
    public static string? ManifestOf(string folder) =>
        new[] { Manifest, EncoderManifest }.FirstOrDefault(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>Reads the description and what every model takes and gives.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="manifest">Which file describes it.</param>
    /// <exception cref="WeightsException">The description cannot be read.</exception>
    public static OnnxFolderReport Read(string folder, string manifest)
    {
        string description = Path.Combine(folder, manifest);
        Dictionary<string, object> settings = ConfigValues.Read(description);
        List<string> warnings = [];
        List<OnnxModelReport> models = [];
        EnumerationOptions twoLevels = new() { RecurseSubdirectories = true, MaxRecursionDepth = 2 };
        foreach (string file in Directory.EnumerateFiles(folder, "*.onnx", twoLevels).Order(StringComparer.Ordinal).Take(MaxModels))
        {
            try
            {
                models.Add(OnnxFile.Read(file) with { Path = Path.GetRelativePath(folder, file) });
            }
            catch (Exception e) when (e is WeightsException or IOException or UnauthorizedAccessException)
            {
                warnings.Add(ErrorText.OneLine(e).TrimEnd('.'));
            }
        }
        if (models.Count == 0 && warnings.Count == 0)
        {
            warnings.Add("there is no ONNX model in the folder");
        }
        return new OnnxFolderReport
        {
            Path = folder,
            Settings = settings,
            Manifest = manifest,
            Source = ConfigValues.Read(description, "source"),
            Adapters = ConfigValues.Read(description, "adapters"),
            Preprocessing = ConfigValues.Read(description, "preprocessing"),
            Models = [.. models],
            Parameters = models.Sum(m => m.Parameters),
            Bytes = models.Sum(m => m.Bytes),
            Warnings = [.. warnings],
        };
    }
}
