using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>Looks through a model folder and keeps going where a part is missing or broken: that is what one wants to hear about.</summary>
/// <param name="folder">A folder that exists.</param>
internal sealed class FolderReader(string folder)
{
    private const string Index = "model_index.json";

    // What FLUX consists of, and files without which a part is of no use. Weights are looked for apart.
    private static readonly Dictionary<string, string[]> FluxParts = new()
    {
        ["scheduler"] = ["scheduler_config.json"],
        ["text_encoder"] = ["config.json"],
        ["text_encoder_2"] = ["config.json"],
        ["tokenizer"] = ["vocab.json", "merges.txt"],
        ["tokenizer_2"] = ["spiece.model"],
        ["transformer"] = ["config.json"],
        ["vae"] = ["config.json"],
    };

    // Transformers 5 saves it in place of a tokenizer's other files.
    private const string WholeTokenizer = "tokenizer.json";

    private static readonly string[] WithoutWeights = ["scheduler", "tokenizer", "tokenizer_2"];

    /// <summary>Reads configs and headers of every component.</summary>
    /// <exception cref="WeightsException">Nothing in the folder belongs to a model.</exception>
    public FolderReport Read()
    {
        List<string> warnings = [];
        Dictionary<string, string?> classes = [];
        string? pipeline = File.Exists(Inside(Index)) ? ReadIndex(classes, warnings) : null;
        string[] names = [.. Directory.EnumerateDirectories(folder).Select(d => System.IO.Path.GetFileName(d)).Where(IsComponent).Union(classes.Keys)
            .Order(StringComparer.Ordinal)];
        if (names.Length == 0 && File.Exists(Inside("config.json")))
        {
            names = [""];
        }
        List<WeightsReport> files = [];
        foreach (string file in Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).Where(_ => names is not [""]))
        {
            Try(warnings, () => files.Add(WeightsReport.Read(file, each: false)));
        }
        if (names.Length == 0 && files.Count == 0 && warnings.Count == 0)
        {
            throw new WeightsException(
                folder, "a model folder (model_index.json or components with a config.json), an ONNX folder (dsd.json) or safetensors files", "none of these");
        }
        if (pipeline is not null)
        {
            warnings.AddRange(FluxParts.Keys.Except(names).Select(n => $"the part '{n}' is missing"));
        }
        else if (names is not [""] && names.Length > 0)
        {
            warnings.Add($"there is no {Index}: the folder is no whole pipeline");
        }
        ComponentReport[] components = [.. names.Select(n => Component(n, classes.GetValueOrDefault(n)))];
        return new FolderReport
        {
            Path = folder,
            Pipeline = pipeline,
            Components = components,
            Files = [.. files],
            Parameters = components.Sum(c => c.Weights?.Parameters ?? 0),
            Bytes = components.Sum(c => c.Weights?.Bytes ?? 0),
            Warnings = [.. warnings],
        };
    }

    private bool IsComponent(string name) =>
        FluxParts.ContainsKey(name) || File.Exists(Inside(name, "config.json"));

    private ComponentReport Component(string name, string? className)
    {
        List<string> warnings = [];
        Dictionary<string, object> config = [];
        WeightsReport? weights = null;
        if (!Directory.Exists(Inside(name)))
        {
            return new ComponentReport { Name = name, ClassName = className, Config = config, Warnings = [$"the subfolder is missing"] };
        }
        warnings.AddRange(FluxParts.GetValueOrDefault(name, [])
            .Where(f => !File.Exists(Inside(name, f))
                && !(name.StartsWith("tokenizer", StringComparison.Ordinal) && File.Exists(Inside(name, WholeTokenizer))))
                    .Select(f => $"the file '{f}' is missing"));
        string configFile = Inside(name, name == "scheduler" ? "scheduler_config.json" : "config.json");
        if (File.Exists(configFile))
        {
            Try(warnings, () => config = ConfigValues.Read(configFile));
        }
        if (!WithoutWeights.Contains(name))
        {
            Try(warnings, () => weights = WeightsReport.Read(Inside(name), each: false));
        }
        string? stated = config.GetValueOrDefault("_class_name") as string
            ?? (config.GetValueOrDefault("architectures") as object[])?.FirstOrDefault() as string;
        if (className is not null && stated is not null && stated != className)
        {
            warnings.Add($"{Index} says {className}, the config says {stated}");
        }
        if (weights is not null)
        {
            warnings.AddRange(ConfigValues.Contradictions(config, weights.Facts));
            warnings.AddRange(weights.Warnings);
            if ((stated ?? className) == "FluxTransformer2DConditionalModel" && weights.Kind == "flux-transformer")
            {
                warnings.Add("the config says FluxTransformer2DConditionalModel, the weights have no c_embedder");
            }
        }
        return new ComponentReport { Name = name, ClassName = className ?? stated, Config = config, Weights = weights, Warnings = [.. warnings] };
    }

    /// <summary>The pipeline's class, and the class of every component that is not null.</summary>
    private string ReadIndex(Dictionary<string, string?> classes, List<string> warnings)
    {
        string name = "unknown";
        Try(warnings, () =>
        {
            Dictionary<string, object> index = ConfigValues.Read(Inside(Index));
            name = index.GetValueOrDefault("_class_name") as string ?? name;
            foreach ((string component, object value) in index)
            {
                // A component stands for a subfolder: an index must not lead to other places.
                bool plain = component.Length > 0 && component.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
                if (plain && value is object[] and [string, string className])
                {
                    classes[component] = className;
                }
            }
        });
        return name;
    }

    private static void Try(List<string> warnings, Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is WeightsException or IOException or UnauthorizedAccessException or JsonException)
        {
            warnings.Add(ErrorText.OneLine(e).TrimEnd('.'));
        }
    }

    private string Inside(params string[] parts) => System.IO.Path.Combine([folder, .. parts]);
}
