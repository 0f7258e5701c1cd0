namespace Dsd.Tools.Loop;

/// <summary>What became of a stage in this call.</summary>
/// <param name="Stage">Its name.</param>
/// <param name="State">One of the words below.</param>
/// <param name="Command">Its command line, to be copied.</param>
/// <param name="Seconds">How long it took; when it was done before, then.</param>
/// <param name="Results">What it wrote.</param>
internal sealed record LoopOutcome(string Stage, string State, string Command, double Seconds, IReadOnlyList<string> Results)
{
    /// <summary>It was done by this call.</summary>
    public const string Done = "done";

    /// <summary>It was done before, and nothing that it reads has changed.</summary>
    public const string DoneBefore = "done before";

    /// <summary>It was not asked for.</summary>
    public const string LeftOut = "left out";

    /// <summary>It is to be done.</summary>
    public const string ToDo = "to do";
}
