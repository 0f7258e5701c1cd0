using Dsd.Curation.Judging;
using Dsd.Imaging;

namespace Dsd.MLNet.Curation;

/// <summary>One row that a curator gives.</summary>
/// <param name="Reference">The panel that shows the subject; null for a grid that could not be judged.</param>
/// <param name="Target">The panel that the prompt describes; null likewise.</param>
/// <param name="Prompt">The target's caption; empty likewise.</param>
/// <param name="Judgement">What the judge said; null likewise.</param>
/// <param name="Error">What is wrong with the grid; empty for a pair.</param>
internal sealed record CuratedPair(Picture? Reference, Picture? Target, string Prompt, PairJudgement? Judgement, string Error = "")
{
    /// <summary>The row of a grid that could not be judged.</summary>
    public static CuratedPair Marked(string error) => new(null, null, "", null, error);
}
