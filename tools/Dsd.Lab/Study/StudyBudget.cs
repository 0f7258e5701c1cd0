namespace Dsd.Lab.Study;

/// <summary>What each system that learns from pairs may spend: the same for all of them.</summary>
/// <param name="Steps">Optimiser steps, at least 1.</param>
/// <param name="Batch">Pairs a step, at least 1.</param>
/// <param name="LearningRate">The largest learning rate.</param>
/// <param name="Rank">Rank of the adapters.</param>
/// <param name="Guidance">The distilled guidance that the model is given in training.</param>
/// <param name="Seed">Where order, noise and new weights start.</param>
internal sealed record StudyBudget(long Steps, int Batch, double LearningRate, int Rank, float Guidance, long Seed);
