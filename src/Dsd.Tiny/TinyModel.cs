using Dsd.Models.Sampling;

namespace Dsd.Tiny;

/// <summary>The embedded model: FLUX's architecture at small size, in the same file formats.</summary>
public static class TinyModel
{
    /// <summary>The name that stands for the embedded model where a folder is asked for.</summary>
    public const string Name = "tiny";

    /// <summary>Side of a panel or frame in pixels.</summary>
    public const int PanelSize = 96;

    /// <summary>How the embedded student draws best: true guidance of 3 towards the reference and 2 towards the prompt.</summary>
    public static DsdOptions Sampling { get; } = new() { Width = PanelSize, Height = PanelSize, ImageGuidance = 3, TextGuidance = 2 };

    /// <summary>The embedded teacher: a pipeline folder in diffusers' layout.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "dsd-tiny");

    /// <summary>The embedded student: a LoRA with the condition embedder, distilled from the teacher by this library's own method.</summary>
    public static string AdapterFile => Path.Combine(Folder, "dsd", "pytorch_lora_weights.safetensors");

    /// <summary>The embedded judge's folder.</summary>
    public static string JudgeFolder => Path.Combine(Folder, "judge");

    /// <summary>The folder of the embedded attribute classifier, which measures what the others draw.</summary>
    public static string ClassifierFolder => Path.Combine(Folder, "classifier");

    /// <summary>The folder that a name stands for: the embedded model's for <see cref="Name"/>, otherwise the name itself.</summary>
    /// <param name="nameOrFolder"><c>tiny</c>, or a pipeline folder in diffusers' layout.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder; the message says which names are known.</exception>
    public static string Resolve(string nameOrFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        string folder = nameOrFolder == Name ? Folder : nameOrFolder;
        return Directory.Exists(folder)
            ? folder
            : throw new DirectoryNotFoundException(
                $"Model '{nameOrFolder}': expected '{Name}' or a pipeline folder in diffusers' layout, found no folder at '{Path.GetFullPath(folder)}'.");
    }
}
