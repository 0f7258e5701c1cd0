namespace Quickstart;

/// <summary>One stage of the run, as the screen shows it.</summary>
internal sealed class Stage(Action<int, int> show)
{
    /// <summary>Says how far the stage has come.</summary>
    public void Done(int done, int all) => show(done, all);
}
