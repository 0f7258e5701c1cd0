using System.Globalization;
using Dsd.Cluster;
using Dsd.Runs;

namespace Dsd.Tools.Curate;

/// <summary>Progress of runs and clusters as text.</summary>
internal static class ProgressText
{
    public static string Of(RunProgress p, TimeSpan since) => string.Create(
        CultureInfo.InvariantCulture,
        $"curating: {p.Captions} captions, {p.Drawn} grids drawn, {p.Judged} pairs judged ({p.Judged / Math.Max(1, since.TotalSeconds):0.0} a second), "
            + $"{p.Kept} kept{(p.Failed > 0 ? $", {p.Failed} failed" : "")}");

    public static string Of(ClusterProgress p, TimeSpan since) => string.Create(
        CultureInfo.InvariantCulture,
        $"serving: {p.Captions} captions through, {p.Leased} with {p.Workers} workers, {p.Returned} "
            + $"returned{(p.Failed > 0 ? $", {p.Failed} with failures" : "")}{(p.GivenUp > 0 ? $", {p.GivenUp} given up" : "")}");
}
