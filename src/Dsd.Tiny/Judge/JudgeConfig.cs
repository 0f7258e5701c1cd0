using Dsd.Models.Weights;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Judge;

/// <summary>What a <see cref="JudgeNetwork"/> looks like and how its answers are read: the content of <c>judge/config.json</c>.</summary>
public sealed record JudgeConfig : ReadingConfig
{
    /// <summary>A config with the default sizes.</summary>
    public JudgeConfig() => Channels = [32, 64, 96];

    /// <summary>
    /// Divides the logits before they become probabilities, 0.05 to 20: fitted on held-out pictures so that the probabilities mean what they say.
    /// </summary>
    public double Temperature
    {
        get;
        init => field = value is >= 0.05 and <= 20 ? value : throw Wrong(nameof(Temperature), "a number between 0.05 and 20", value);
    } = 1;

    /// <summary>
    /// The least probability that all attributes agree at which two pictures count as the same subject, between 0 and 1: fitted on held-out pairs for
    /// precision.
    /// </summary>
    public double SameThreshold
    {
        get;
        init => field = value is > 0 and < 1 ? value : throw Wrong(nameof(SameThreshold), "a number between 0 and 1, neither included", value);
    } = 0.5;

    /// <summary>The config for the attributes of the small world's subjects.</summary>
    public static JudgeConfig ForWorld { get; } = new() { Attributes = Subject.Kinds };

    private protected override int SideStep => 8;

    /// <summary>Reads a config.</summary>
    /// <exception cref="WeightsException">The file is too large, is no JSON, or describes no network.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static JudgeConfig Load(string path) => Load<JudgeConfig>(path, "a judge's config");
}
