using Dsd.Common.Options;
using Dsd.MLNet.Stages;
using Dsd.Models.Sampling;

namespace Dsd.MLNet;

/// <summary>
/// Draws with TorchSharp. Nothing is exported. For FLUX.1-dev on a GPU it is the faster way, and the one with adapters in any number, memory modes
/// and eight bits.
/// </summary>
public sealed record TorchGeneration : GeneratorBackend
{
    /// <summary>
    /// How TorchSharp holds the model: type, files, memory, eight bits, and adapters besides the generator's own. Default: 32-bit, whole. Device and
    /// warnings are the generator's, so <see cref="PipelineOptions.Device"/> and <see cref="PipelineOptions.Warn"/> must be null.
    /// </summary>
    public PipelineOptions Pipeline { get; init => field = StageOptionCheck.Pipeline(value, nameof(Pipeline)); } = new();

    /// <summary>
    /// Leaves out blocks whose result has hardly changed since the step before: see <see cref="DsdOptions.BlockCache"/>. 0 to 1; 0, the default,
    /// computes everything.
    /// </summary>
    public float BlockCache { get; init => field = OptionCheck.Range(value, 0f, 1f, nameof(BlockCache)); }
}
