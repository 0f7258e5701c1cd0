using Dsd.Runs.Ledger;

namespace Dsd.Cluster.Wire;

[GenerateSerializer, Alias("dsd.caption")]
internal struct SeedCaptionSurrogate
{
    [Id(0)] public string Key;
    [Id(1)] public string Caption;
}

/// <summary>Captions as they travel. What comes out has passed the checks of its own type, here and below.</summary>
[RegisterConverter]
internal sealed class SeedCaptionConverter : IConverter<SeedCaption, SeedCaptionSurrogate>
{
    public SeedCaption ConvertFromSurrogate(in SeedCaptionSurrogate surrogate) => new(surrogate.Key, surrogate.Caption);

    public SeedCaptionSurrogate ConvertToSurrogate(in SeedCaption value) => new() { Key = value.Key, Caption = value.Caption };
}
