using Dsd.Common.Options;
using Dsd.Models.Text;
using Dsd.Models.Weights;

namespace Dsd.Evaluation.Encoders;

/// <summary>CLIP's <c>config.json</c>: both towers, and how long an embedding is.</summary>
internal sealed record ClipConfig : IModelConfig
{
    /// <summary>The text tower.</summary>
    public required ClipTextConfig TextConfig { get; init; }

    /// <summary>The image tower.</summary>
    public required ClipVisionConfig VisionConfig { get; init; }

    /// <summary>Numbers of an embedding. The towers' own fields of this name mean nothing.</summary>
    public int ProjectionDim { get; init => field = OptionCheck.Range(value, 1, 65_536, "projection_dim"); } = 512;

    /// <inheritdoc/>
    public void Validate()
    {
        TextConfig.Validate();
        VisionConfig.Validate();
    }
}
