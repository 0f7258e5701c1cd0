using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Families;

/// <summary>
/// A family of base models as ONNX: how it is written, and its network's inputs for prompts and positions. Sampling, guidance and pictures are
/// written once for all families.
/// </summary>
public abstract class OnnxFamily
{
    /// <summary>The family's name, as <c>Dsd.Models.Families.ModelFamily.Name</c> has it.</summary>
    public abstract string Name { get; }

    /// <summary>Reads a model's configs and checks them against each other, before anything is written.</summary>
    /// <param name="model">A whole pipeline.</param>
    /// <param name="options">Precision, target, and a release whose network is used.</param>
    /// <param name="bringsCondition">Whether an adapter makes the network conditional.</param>
    /// <exception cref="WeightsException">A config is missing or wrong, or the parts do not fit together.</exception>
    public abstract ExportPlan Plan(ModelFolder model, OnnxExportOptions options, bool bringsCondition);

    /// <summary>
    /// The networks of an exported model that adapters can change: the denoising network first, then text encoders. Each is built as <see cref="Plan"/> has
    /// it, from the config in its exported folder.
    /// </summary>
    /// <param name="folder">An exported model of this family.</param>
    /// <exception cref="WeightsException">A config is missing or wrong.</exception>
    public abstract IReadOnlyList<ExportedNetwork> Adaptable(OnnxModelFolder folder);

    /// <summary>Opens what turns prompts into inputs of the network: tokenizers, and sessions of the text encoders when they are needed.</summary>
    /// <param name="folder">An exported model of this family.</param>
    /// <param name="sessions">Run its models.</param>
    /// <exception cref="WeightsException">A tokenizer is missing or wrong.</exception>
    public abstract PromptInputs Open(OnnxModelFolder folder, OnnxSessions sessions);
}
