using Dsd.Curation.Judging;

namespace Dsd.Cluster.Wire;

[GenerateSerializer, Alias("dsd.verdict")]
internal struct VerdictSurrogate
{
    [Id(0)] public string Subject;
    [Id(1)] public string DescriptionA;
    [Id(2)] public string DescriptionB;
    [Id(3)] public string[] Differences;
    [Id(4)] public bool Same;
    [Id(5)] public double Confidence;
    [Id(6)] public string[] Flags;
}

/// <summary>Verdicts as they travel.</summary>
[RegisterConverter]
internal sealed class VerdictConverter : IConverter<Verdict, VerdictSurrogate>
{
    public Verdict ConvertFromSurrogate(in VerdictSurrogate surrogate) => new()
    {
        Subject = surrogate.Subject,
        DescriptionA = surrogate.DescriptionA,
        DescriptionB = surrogate.DescriptionB,
        Differences = surrogate.Differences,
        Same = surrogate.Same,
        Confidence = surrogate.Confidence,
        Flags = surrogate.Flags,
    };

    public VerdictSurrogate ConvertToSurrogate(in Verdict value) => new()
    {
        Subject = value.Subject,
        DescriptionA = value.DescriptionA,
        DescriptionB = value.DescriptionB,
        Differences = [.. value.Differences],
        Same = value.Same,
        Confidence = value.Confidence,
        Flags = [.. value.Flags],
    };
}
