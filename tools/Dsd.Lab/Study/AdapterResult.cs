using Dsd.Evaluation.Metrics;
using Dsd.Lab.Measure;

namespace Dsd.Lab.Study;

/// <summary>What was measured of an adapter. Shares are 0 … 1, with 95 % intervals over subjects.</summary>
/// <param name="Adapter">Its file.</param>
/// <param name="Sheet">The picture with some of its answers, from the report's folder.</param>
/// <param name="Cp">Concept preservation: share of the subject's identity attributes found.</param>
/// <param name="Pf">Prompt following: share of the prompt's context attributes found.</param>
/// <param name="CpFromFirst">Its CP minus the first adapter's on the same subjects; null for the first.</param>
/// <param name="PfFromFirst">Its PF minus the first adapter's; null for the first.</param>
/// <param name="CpBySubject">CP of each subject: the mean over its pictures.</param>
/// <param name="PfBySubject">PF of each subject.</param>
/// <param name="Attributes">In which share of the pictures each attribute was right.</param>
internal sealed record AdapterResult(
    string Adapter,
    string Sheet,
    Interval Cp,
    Interval Pf,
    Interval? CpFromFirst,
    Interval? PfFromFirst,
    IReadOnlyList<double> CpBySubject,
    IReadOnlyList<double> PfBySubject,
    IReadOnlyList<AttributeShare> Attributes)
{
    internal static AdapterResult Of(SystemResult result, string sheet, SystemResult? first) => new(
        result.System,
        sheet,
        result.Cp,
        result.Pf,
        first is null ? null : StudyAim.Difference(result.CpBySubject, first.CpBySubject),
        first is null ? null : StudyAim.Difference(result.PfBySubject, first.PfBySubject),
        result.CpBySubject,
        result.PfBySubject,
        result.Attributes);
}
