using System.Collections.Immutable;

namespace Dsd.Models.Families;

/// <summary>The models that are known by name.</summary>
public static class ModelPresets
{
    private static ImmutableArray<ModelPreset> _all = [];

    /// <summary>All of them, in the order of registration.</summary>
    public static IReadOnlyList<ModelPreset> All => _all;

    /// <summary>
    /// Makes a model known to this process by its name. Any thread may call it, at the start of a program, before options or saved models name it.
    /// Registering the same object again does nothing, so that each part of a program may make sure of what it needs.
    /// </summary>
    /// <exception cref="ArgumentException">Another preset has its name.</exception>
    public static void Register(ModelPreset preset)
    {
        ArgumentNullException.ThrowIfNull(preset);
        ImmutableInterlocked.Update(ref _all, all => all.FirstOrDefault(p => p.Name == preset.Name) is not { } other
            ? all.Add(preset)
            : ReferenceEquals(other, preset)
                ? all
                : throw new ArgumentException($"The name '{preset.Name}' stands for the model in '{other.Folder}' already.", nameof(preset)));
    }

    /// <summary>The preset of this name; null where there is none, as for a folder.</summary>
    public static ModelPreset? Find(string name) => _all.FirstOrDefault(p => p.Name == name);

    /// <summary>The preset of this name, or one with the ordinary defaults for a pipeline's folder. The folder need not be there.</summary>
    /// <param name="nameOrFolder">The name of a preset, or a pipeline folder in diffusers' layout.</param>
    public static ModelPreset Of(string nameOrFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        return Find(nameOrFolder) ?? new ModelPreset { Name = nameOrFolder, Folder = nameOrFolder };
    }

    /// <summary>The folder that a name stands for: the preset's, otherwise the name itself.</summary>
    /// <param name="nameOrFolder">The name of a preset, or a pipeline folder in diffusers' layout.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder; the message says which names are known.</exception>
    public static string Resolve(string nameOrFolder) => Resolve(Of(nameOrFolder));

    /// <summary>The folder of a preset, which need not be registered.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder; the message says which names are known.</exception>
    public static string Resolve(ModelPreset preset)
    {
        ArgumentNullException.ThrowIfNull(preset);
        if (Directory.Exists(preset.Folder))
        {
            return preset.Folder;
        }
        string names = string.Join(", ", _all.Select(p => $"'{p.Name}'"));
        throw new DirectoryNotFoundException(
            $"Model '{preset.Name}': expected {(names.Length > 0 ? names + " or " : "")}a pipeline folder in diffusers' layout, "
            + $"found no folder at '{Path.GetFullPath(preset.Folder)}'.");
    }
}
