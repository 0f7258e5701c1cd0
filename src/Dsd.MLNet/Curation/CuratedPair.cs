using Dsd.Curation.Judging;
using Dsd.Imaging;

namespace Dsd.MLNet.Curation;

/// <summary>One row that a curator gives.</summary>
internal sealed record CuratedPair(Picture Reference, Picture Target, string Prompt, PairJudgement Judgement);
