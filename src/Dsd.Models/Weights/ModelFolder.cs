using System.Text.Json.Serialization;
using Dsd.Common.Files;

namespace Dsd.Models.Weights;

/// <summary>A model folder in diffusers' layout: one folder a component, each with its config and weights.</summary>
public sealed class ModelFolder
{
    private ModelFolder(string path) => Path = path;

    /// <summary>The folder, as it was given.</summary>
    public string Path { get; }

    /// <summary>The pipeline's <c>model_index.json</c>; whether it is there or not.</summary>
    public string IndexFile => System.IO.Path.Combine(Path, "model_index.json");

    /// <summary>The pipeline that the index names as <c>_class_name</c>; null where none is named, or the folder was opened for its parts.</summary>
    public string? PipelineClass { get; private init; }

    /// <summary>Opens a whole pipeline: a folder with a <c>model_index.json</c>.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="WeightsException">The index is missing or cannot be read.</exception>
    public static ModelFolder Open(string path)
    {
        ModelFolder folder = OpenParts(path);
        return new ModelFolder(path) { PipelineClass = Json.Read<ClassNames>(folder.IndexFile).ClassName };
    }

    /// <summary>Opens a folder that holds some components and no index, as a release of a transformer alone does.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static ModelFolder OpenParts(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Directory.Exists(path)
            ? new ModelFolder(path)
            : throw new DirectoryNotFoundException(
                $"Model folder '{path}': expected a folder with a component in each subfolder, found "
                    + $"{(File.Exists(path) ? FileKind.Of(FileKind.Start(path)) ?? "a file" : "no such folder")}.");
    }

    /// <summary>Whether the folder has this component.</summary>
    public bool Has(string component) => Directory.Exists(System.IO.Path.Combine(Path, component));

    /// <summary>The folder of a component, such as <c>vae</c> or <c>text_encoder_2</c>.</summary>
    /// <exception cref="WeightsException">The component is missing.</exception>
    public string ComponentFolder(string component)
    {
        ArgumentException.ThrowIfNullOrEmpty(component);
        if (Has(component))
        {
            return System.IO.Path.Combine(Path, component);
        }
        IEnumerable<string> others = Directory.EnumerateDirectories(Path).Select(d => System.IO.Path.GetFileName(d)).Order(StringComparer.Ordinal);
        throw new WeightsException(Path, $"a subfolder '{component}'", string.Join(", ", others.Take(20).DefaultIfEmpty("none")));
    }

    /// <summary>Reads a component's config: snake-case fields, unknown ones skipped.</summary>
    /// <param name="component">The component's subfolder.</param>
    /// <param name="file">The config's file name.</param>
    /// <param name="classNames">The class that the config must name as <c>_class_name</c> or among its <c>architectures</c>; none to take any.</param>
    /// <exception cref="WeightsException">The file is missing, too large, no JSON, lacks a required field, holds a value out of range or is of
    /// another class.</exception>
    public T ReadConfig<T>(string component, string file = "config.json", params string[] classNames) =>
        ReadConfigFile<T>(System.IO.Path.Combine(ComponentFolder(component), file), classNames);

    /// <summary>Reads one config file: see <see cref="ReadConfig{T}(string, string, string[])"/>.</summary>
    public static T ReadConfigFile<T>(string path, params string[] classNames)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(classNames);
        if (classNames.Length > 0)
        {
            ClassNames found = Json.Read<ClassNames>(path);
            string[] names = found.ClassName is { } name ? [name] : found.Architectures ?? [];
            if (!names.Intersect(classNames).Any())
            {
                throw new WeightsException(
                    path, $"a model of class {string.Join(" or ", classNames)}",
                    names.Length == 0 ? "no _class_name and no architectures" : $"'{string.Join("', '", names)}'");
            }
        }
        return Json.Read<T>(path);
    }

    private sealed record ClassNames
    {
        [JsonPropertyName("_class_name")]
        public string? ClassName { get; init; }

        public string[]? Architectures { get; init; }
    }
}
