using System.Collections.Immutable;

namespace Dsd.Curation.Presets;

/// <summary>What is known by name of curation with single models.</summary>
public static class CurationPresets
{
    private static ImmutableArray<CurationPreset> _all = [];

    /// <summary>All of them, in the order of registration.</summary>
    public static IReadOnlyList<CurationPreset> All => _all;

    /// <summary>
    /// Makes a preset known to this process. Any thread may call it, at the start of a program, before options or saved models name it.
    /// Registering the same object again does nothing, so that each part of a program may make sure of what it needs.
    /// </summary>
    /// <exception cref="ArgumentException">Another preset has its name.</exception>
    public static void Register(CurationPreset preset)
    {
        ArgumentNullException.ThrowIfNull(preset);
        ImmutableInterlocked.Update(ref _all, all => all.FirstOrDefault(p => p.Name == preset.Name) is not { } other
            ? all.Add(preset)
            : ReferenceEquals(other, preset)
                ? all
                : throw new ArgumentException($"There is a curation preset '{preset.Name}' already.", nameof(preset)));
    }

    /// <summary>The preset of this name; null where there is none.</summary>
    public static CurationPreset? Find(string name) => _all.FirstOrDefault(p => p.Name == name);

    /// <summary>The preset of this name, or one that brings nothing, so that the task's words and layout stay.</summary>
    /// <param name="nameOrFolder">What the options call the model: a name or a folder.</param>
    public static CurationPreset Of(string nameOrFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        return Find(nameOrFolder) ?? new CurationPreset { Name = nameOrFolder };
    }
}
