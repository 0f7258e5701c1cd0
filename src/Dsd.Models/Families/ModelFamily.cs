using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;

namespace Dsd.Models.Families;

/// <summary>
/// A family of base models, such as FLUX: recognises its folders, loads them, and knows what its adapters call its layers.
/// A new family derives from this class and from <see cref="DiffusionModel"/>, and is registered with <see cref="ModelFamilies"/>.
/// </summary>
public abstract class ModelFamily
{
    /// <summary>The family's name, in small letters: <c>flux</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The pipelines of the family: what <c>_class_name</c> in <c>model_index.json</c> may say.</summary>
    public abstract IReadOnlyList<string> PipelineClasses { get; }

    /// <summary>Loads a model. Adapters are laid over it by the caller.</summary>
    /// <param name="folder">The pipeline's folder, whose index names one of <see cref="PipelineClasses"/>.</param>
    /// <param name="source">The same folder, the release, and whether the model shall take a reference.</param>
    /// <param name="options">Device, type and files.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    public abstract DiffusionModel Load(ModelFolder folder, ModelSource source, PipelineOptions options);

    /// <summary>Reads configs, tokenizers and headers of weights, and says what a model would be. No weights are read.</summary>
    /// <param name="folder">The pipeline's folder.</param>
    /// <param name="source">The same folder, the release, and whether the model shall take a reference.</param>
    /// <param name="options">Device, type and files.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public abstract ModelOutline Outline(ModelFolder folder, ModelSource source, PipelineOptions options);

    /// <summary>
    /// The parts of a model that have weights, each with what compares the names, types and shapes of its weights with its config. Headers alone are read.
    /// None for families that do not say.
    /// </summary>
    /// <param name="folder">The pipeline's folder.</param>
    /// <param name="source">The same folder, the release, and whether the model shall take a reference.</param>
    /// <param name="options">Files that take the place of the folder's.</param>
    public virtual IReadOnlyList<(string Part, Action Check)> WeightChecks(ModelFolder folder, ModelSource source, PipelineOptions options) => [];

    /// <summary>What the folder's own network takes.</summary>
    /// <exception cref="WeightsException">The network's config is missing or wrong.</exception>
    public abstract NetworkTraits Traits(ModelFolder folder);

    /// <summary>
    /// The layers that a module with another project's name holds, in adapters and single files. Null for names that the family does not know.
    /// </summary>
    /// <param name="module">The module's name with dots.</param>
    public virtual LayerParts? OfPublished(string module) => null;

    /// <summary>
    /// The module with another project's name that holds a layer, alone or with others: the inverse of <see cref="OfPublished"/>. Null for layers that the
    /// other project does not have.
    /// </summary>
    /// <param name="module">The layer's name here, with dots.</param>
    public virtual LayerParts? PublishedOf(string module) => null;

    /// <summary>The layers that a module holds whose name has underscores in place of dots, as in kohya's scripts. Null for unknown names.</summary>
    /// <param name="module">The module's name with underscores.</param>
    public virtual LayerParts? OfUnderscored(string module) => null;
}
