using Dsd.Models.Weights;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Classifier;

/// <summary>What a <see cref="ClassifierNetwork"/> looks like: the content of <c>classifier/config.json</c>.</summary>
public sealed record ClassifierConfig : ReadingConfig
{
    /// <summary>A config with the default sizes.</summary>
    public ClassifierConfig() => Channels = [32, 48, 80];

    /// <summary>The config for the attributes of the small world's subjects and contexts.</summary>
    public static ClassifierConfig ForWorld { get; } = new() { Attributes = [.. Subject.Kinds, .. Context.Kinds] };

    /// <summary>Whether the attributes are exactly the world's, with the same values in the same order.</summary>
    public bool IsOfWorld => Attributes.Count == ForWorld.Attributes.Count
        && Attributes.Zip(ForWorld.Attributes).All(pair => pair.First.Name == pair.Second.Name && pair.First.ValueNames.SequenceEqual(pair.Second.ValueNames));

    private protected override int SideStep => 16;

    /// <summary>Reads a config.</summary>
    /// <exception cref="WeightsException">The file is too large, is no JSON, or describes no network.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ClassifierConfig Load(string path) => Load<ClassifierConfig>(path, "a classifier's config");
}
