namespace Dsd.CommandLine;

/// <summary>What the process returns.</summary>
public static class ExitCode
{
    /// <summary>The command did what it was asked.</summary>
    public const int Done = 0;

    /// <summary>The command was understood and failed, or was cancelled.</summary>
    public const int Failed = 1;

    /// <summary>The command line was wrong; nothing was begun.</summary>
    public const int WrongUse = 2;
}
