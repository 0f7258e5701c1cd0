using Dsd.Models.Training;

namespace Dsd.MLNet.Tests.Fakes;

/// <summary>Passes reports on at once, on the training's own thread.</summary>
internal sealed class Reports(Action<TrainingProgress> report) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => report(value);
}
