using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>Looks through a folder of exported ONNX models and keeps going where one is broken.</summary>
internal static class OnnxFolderReader
{
    /// <summary>The file that makes a folder one of these.</summary>
    public const string Manifest = "dsd.json";

    private const int MaxModels = 64;

    /// <summary>Reads the description and what every model takes and gives.</summary>
    /// <exception cref="WeightsException">The description cannot be read.</exception>
    public static OnnxFolderReport Read(string folder)
    {
        Dictionary<string, object> settings = ConfigValues.Read(Path.Combine(folder, Manifest));
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
            Source = ConfigValues.Read(Path.Combine(folder, Manifest), "source"),
            Adapters = ConfigValues.Read(Path.Combine(folder, Manifest), "adapters"),
            Models = [.. models],
            Parameters = models.Sum(m => m.Parameters),
            Bytes = models.Sum(m => m.Bytes),
            Warnings = [.. warnings],
        };
    }
}
