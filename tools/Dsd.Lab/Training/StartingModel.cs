using System.Security.Cryptography;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.Judge;

namespace Dsd.Lab.Training;

/// <summary>
/// A model that training starts from in place of nothing: its parts are copied, all but its student, and the stages before the teacher's count as done. What
/// sees panels of another size than the config's begins anew, and an autoencoder whose decoder shall learn on does so.
/// </summary>
internal static class StartingModel
{
    private const long MostBytes = 1_000_000;
    private static readonly string[] DoneStages = ["tokenizers", "vae", "judge", "classifier", "text"];
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>
    /// Copies what is not there yet, so that an interrupted run continues. The hashes of the model's files stay in the work folder, for whoever asks later what
    /// this training started from.
    /// </summary>
    /// <exception cref="ArgumentException">The folder was begun from nothing or from another model.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such model.</exception>
    public static void Take(string from, TinyTrainingConfig config, string outFolder, string workFolder, Action<string> log)
    {
        if (!File.Exists(Path.Combine(from, "model_index.json")))
        {
            throw new DirectoryNotFoundException($"'{from}' holds no model to start from: it has no model_index.json.");
        }
        string[] anew = Anew(from, config);
        SortedDictionary<string, string> files = new(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(from, file).Replace('\\', '/');
            if (!name.StartsWith("dsd/", StringComparison.Ordinal) && !name.StartsWith(".training/", StringComparison.Ordinal)
                && !anew.Any(part => name.StartsWith($"{part}/", StringComparison.Ordinal)))
            {
                files.Add(name, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
            }
        }
        string record = Path.Combine(workFolder, "from.json");
        if (File.Exists(record))
        {
            RequireSame(record, files, from, outFolder);
        }
        else if (Directory.EnumerateFileSystemEntries(outFolder).Any(entry => Path.GetFullPath(entry) != Path.GetFullPath(workFolder))
            || Directory.EnumerateFileSystemEntries(workFolder).Any())
        {
            throw new ArgumentException($"'{outFolder}' was begun without the model '{from}'. Leave --from out to go on with it, or name a new folder.");
        }
        else
        {
            AtomicFile.Write(record, stream => JsonSerializer.Serialize(stream, files, Json));
            log($"train: starts from the model '{from}'{(anew.Length > 0 ? $", but for {string.Join(" and ", anew)}" : "")}");
        }
        foreach (string name in files.Keys.Where(name => !File.Exists(Path.Combine(outFolder, name))))
        {
            AtomicFile.Write(Path.Combine(outFolder, name), stream =>
            {
                using FileStream source = File.OpenRead(Path.Combine(from, name));
                source.CopyTo(stream);
            });
        }
        foreach (string stage in DoneStages.Except(anew).Where(stage => stage != "vae" || !config.Vae.DecoderAlone))
        {
            File.WriteAllText(TinyTraining.Marker(workFolder, stage), "");
        }
    }

    /// <summary>The parts, which are stages too, whose pictures had another size.</summary>
    private static string[] Anew(string from, TinyTrainingConfig config)
    {
        string judge = Path.Combine(from, "judge", "config.json");
        string classifier = Path.Combine(from, "classifier", "config.json");
        return
        [
            .. new (string Part, int Side)[]
            {
                ("judge", Side: File.Exists(judge) ? JudgeConfig.Load(judge).ImageSize : config.PanelSize),
                ("classifier", File.Exists(classifier) ? ClassifierConfig.Load(classifier).ImageSize : config.PanelSize),
            }
                .Where(seen => seen.Side != config.PanelSize)
                .Select(seen => seen.Part),
        ];
    }

    private static void RequireSame(string record, SortedDictionary<string, string> files, string from, string outFolder)
    {
        Dictionary<string, string> before = JsonSerializer.Deserialize<Dictionary<string, string>>(
            SmallFile.Utf8(record, MostBytes, (expected, found) => new JsonException($"'{record}': expected {expected}, found {found}")).Span)!;
        string? other = files.Keys.Union(before.Keys).FirstOrDefault(name => files.GetValueOrDefault(name) != before.GetValueOrDefault(name));
        if (other is not null)
        {
            throw new ArgumentException(
                $"'{outFolder}' was begun from another model than '{from}': '{other}' differs. Name the same model, or a new folder.");
        }
    }
}
