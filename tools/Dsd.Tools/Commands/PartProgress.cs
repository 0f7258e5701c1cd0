namespace Dsd.Tools.Commands;

/// <summary>Parts of a model that is written, one after another, as stages of a progress line.</summary>
/// <param name="stages">Told each part, and the share that is done.</param>
/// <param name="parts">How many parts there are at most.</param>
internal sealed class PartProgress(IProgress<Stage> stages, int parts) : IProgress<string>
{
    private int _begun;

    public void Report(string value) => stages.Report(new Stage(value, (double)_begun++ / parts));
}
