namespace Dsd.Lab.Training;

/// <summary>What every stage that trains has.</summary>
internal record StageConfig
{
    /// <summary>Optimiser steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Examples a step.</summary>
    public required int Batch { get; init; }

    /// <summary>The largest learning rate.</summary>
    public required double PeakLearningRate { get; init; }
}
