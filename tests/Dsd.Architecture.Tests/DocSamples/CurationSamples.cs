using Dsd.Curation.Judging;
using Dsd.Evaluation.Gates;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>What docs/curation.md shows, compiled here.</summary>
internal static class CurationSamples
{
    public static void Gate(IPairJudge judge)
    {
        using EmbeddingGate gate = EmbeddingGate.Open("encoders/dinov2");
        IPairJudge gated = new GatedJudge(gate, new GateBounds { Least = 0.4, Most = 0.98 }, judge);
    }
}
