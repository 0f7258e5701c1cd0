using Dsd.Lab.Training;

namespace Dsd.Lab.Study;

/// <summary>One of the systems that the study compares.</summary>
/// <param name="name">Its name in the results.</param>
/// <param name="shows">What it shows, for the table.</param>
internal abstract class StudySystem(string name, string shows)
{
    public string Name { get; } = name;

    public string Shows { get; } = shows;

    /// <summary>Learns what the system learns, where that is not done yet; an interrupted run continues.</summary>
    public abstract void Train(StudyContext context);

    /// <summary>What its weights were before the study, for the table.</summary>
    public abstract string StartedFrom(StudyContext context);

    /// <summary>Optimiser steps that the study takes; for each subject, where each is tuned for.</summary>
    public virtual long Steps(StudyContext context) => 0;

    /// <summary>Whether the study's grids are needed for it.</summary>
    public virtual bool LearnsFromGrids(StudyConfig config) => false;

    /// <summary>The pairs that the system learned from, each once; null where it does not learn from pairs.</summary>
    public virtual GridPair[]? Pairs(StudyContext context) => null;

    /// <summary>Loads what it takes to draw.</summary>
    public abstract IStudyGenerator Open(StudyContext context);

    /// <summary>Seconds that must be spent once on every new subject before pictures of it can be drawn; 0 where there is nothing to do.</summary>
    public virtual double PreparationSeconds(StudyContext context) => 0;
}
