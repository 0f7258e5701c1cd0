namespace Dsd.Runs.RunApp;

/// <summary>How much is under way at once, which bounds what may be done twice.</summary>
public static class RunLimits
{
    public const int Batch = 4;
    public const int Judges = 4;
}
