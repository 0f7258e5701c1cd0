namespace Dsd.Models.Families;

/// <summary>Where a model comes from.</summary>
/// <param name="Folder">A pipeline's folder in diffusers' layout.</param>
public sealed record ModelSource(string Folder)
{
    /// <summary>A folder of a DSD release, whose network takes the place of the pipeline's. Null, the default, is none.</summary>
    public string? ReleaseFolder { get; init; }

    /// <summary>Whether the model shall take a reference. False, the default: it draws from prompts alone, and a conditional network is refused.</summary>
    public bool Conditional { get; init; }
}
