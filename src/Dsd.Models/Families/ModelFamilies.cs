using System.Collections.Immutable;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Weights;

namespace Dsd.Models.Families;

/// <summary>The families of base models that are known.</summary>
public static class ModelFamilies
{
    private static ImmutableArray<ModelFamily> _all = [new FluxFamily()];

    /// <summary>All of them, in the order of registration.</summary>
    public static IReadOnlyList<ModelFamily> All => _all;

    /// <summary>Makes a family known to this process: loading, training, drawing and adapters then work with its models. Any thread may call it.</summary>
    /// <exception cref="ArgumentException">Another family has its name or one of its pipeline classes.</exception>
    public static void Register(ModelFamily family)
    {
        ArgumentNullException.ThrowIfNull(family);
        ImmutableInterlocked.Update(ref _all, all =>
        {
            if (all.FirstOrDefault(f => f.Name == family.Name || f.PipelineClasses.Intersect(family.PipelineClasses).Any()) is { } other)
            {
                throw new ArgumentException(
                    $"The family '{family.Name}' ({string.Join(", ", family.PipelineClasses)}) cannot be registered: "
                        + $"'{other.Name}' has this name or one of these pipeline classes "
                        + $"({string.Join(", ", other.PipelineClasses)}).",
                    nameof(family));
            }
            return all.Add(family);
        });
    }

    /// <summary>Opens a pipeline's folder and finds its family.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="WeightsException">The index is missing, cannot be read, or names a pipeline of no known family.</exception>
    public static (ModelFamily Family, ModelFolder Folder) Open(string path)
    {
        ModelFolder folder = ModelFolder.Open(path);
        string name = folder.PipelineClass ?? "none";
        ModelFamily family = _all.FirstOrDefault(f => f.PipelineClasses.Contains(name))
            ?? throw new WeightsException(
                folder.IndexFile, $"_class_name {string.Join(" or ", _all.SelectMany(f => f.PipelineClasses))}", $"'{name}'");
        return (family, folder);
    }

    /// <summary>The layers that a module with another project's name holds; null where no family knows the name.</summary>
    internal static LayerParts? OfPublished(string module) => _all.Select(f => f.OfPublished(module)).FirstOrDefault(p => p is not null);

    /// <summary>The module with another project's name that holds a layer; null where no family knows one.</summary>
    internal static LayerParts? PublishedOf(string module) => _all.Select(f => f.PublishedOf(module)).FirstOrDefault(p => p is not null);

    /// <summary>The layers that a module holds whose name has underscores in place of dots; null where no family knows the name.</summary>
    internal static LayerParts? OfUnderscored(string module) => _all.Select(f => f.OfUnderscored(module)).FirstOrDefault(p => p is not null);
}
