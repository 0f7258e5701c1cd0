namespace Dsd.Tools.Commands;

/// <summary>The parts of a model by their names, as progress.</summary>
internal sealed class PartNames(IProgress<Stage> stages, int parts) : IProgress<string>
{
    private int _begun;

    public void Report(string value) => stages.Report(new Stage(value, (double)_begun++ / parts));
}
