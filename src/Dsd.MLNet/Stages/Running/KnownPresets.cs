using Dsd.Curation.Presets;
using Dsd.Models.Families;
using Dsd.Tiny;

namespace Dsd.MLNet.Stages.Running;

/// <summary>The presets, with the embedded model's among them. No stage asks the registries past this class.</summary>
/// <remarks>Registration again costs a look at a short list, where a static constructor would wrap what goes wrong and keep it for good.</remarks>
internal static class KnownPresets
{
    /// <summary>The preset of a stage's option Model, or the ordinary defaults for a folder.</summary>
    public static ModelPreset Model(string nameOrFolder)
    {
        TinyModel.Register();
        return ModelPresets.Of(nameOrFolder);
    }

    /// <summary>The folder of a stage's option Model.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static string Folder(string nameOrFolder) => ModelPresets.Resolve(Model(nameOrFolder));

    /// <summary>What a stage's option Model brings to curation.</summary>
    public static CurationPreset Curation(string nameOrFolder)
    {
        TinyModel.Register();
        return CurationPresets.Of(nameOrFolder);
    }

    /// <summary>All that bring a judge.</summary>
    public static IEnumerable<CurationPreset> Judges()
    {
        TinyModel.Register();
        return CurationPresets.All.Where(p => p.Judge is not null);
    }
}
