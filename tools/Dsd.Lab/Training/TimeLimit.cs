namespace Dsd.Lab.Training;

/// <summary>Ends work that knows no deadline by cancelling it, upon which it writes its state.</summary>
internal static class TimeLimit
{
    /// <summary>Cancels after the time; at once where none is left, since a timer of no time may fire after short work's last step.</summary>
    public static void StopAfter(this CancellationTokenSource stop, TimeSpan time)
    {
        if (time <= TimeSpan.Zero)
        {
            stop.Cancel();
        }
        else
        {
            stop.CancelAfter(time);
        }
    }
}
