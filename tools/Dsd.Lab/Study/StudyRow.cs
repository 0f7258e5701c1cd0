using Dsd.Evaluation.Metrics;

namespace Dsd.Lab.Study;

/// <summary>A system in the results: an object of <c>results.json</c>.</summary>
/// <param name="System">The system's name.</param>
/// <param name="Subjects">Held-out subjects that it was asked for.</param>
/// <param name="Cp">Concept preservation: share of the subject's identity attributes found, 0 … 1.</param>
/// <param name="CpLow">Lower end of its 95 % interval over subjects.</param>
/// <param name="CpHigh">Upper end.</param>
/// <param name="Pf">Prompt following: share of the prompt's context attributes found, 0 … 1.</param>
/// <param name="PfLow">Lower end of its 95 % interval over subjects.</param>
/// <param name="PfHigh">Upper end.</param>
/// <param name="SecondsPerSubject">
/// What must be spent once on every new subject, the drawing of its pictures not counted: tuning, or encoding its reference; 0 for text.
/// </param>
/// <param name="StartedFrom">What its weights were before the study.</param>
/// <param name="Steps">Optimiser steps that the study took; for each subject, where each is tuned for.</param>
internal sealed record StudyRow(
    string System, int Subjects, double Cp, double CpLow, double CpHigh, double Pf, double PfLow, double PfHigh, double SecondsPerSubject,
    string StartedFrom, long Steps)
{
    internal static StudyRow Of(SystemResult result, SystemTiming timing, string startedFrom, long steps)
    {
        (Interval cp, Interval pf) = (result.Cp, result.Pf);
        return new StudyRow(
            result.System, result.CpBySubject.Count, cp.Mean, cp.Low, cp.High, pf.Mean, pf.Low, pf.High, timing.PreparationSeconds, startedFrom, steps);
    }
}
