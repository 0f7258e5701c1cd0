namespace Dsd.Tools.Loop;

/// <summary>A key of a file of <c>dsd run</c>.</summary>
/// <param name="Name">Its name: that of an option, without the dashes.</param>
/// <param name="Line">Where it stands, from 1.</param>
/// <param name="Values">Its values as texts: one, or those of a list.</param>
/// <param name="IsList">Whether it was written as a list.</param>
internal sealed record LoopKey(string Name, int Line, IReadOnlyList<string> Values, bool IsList)
{
    /// <summary>What a switch that is on has as its value.</summary>
    public const string Yes = "true";

    /// <summary>What a switch that is off has as its value.</summary>
    public const string No = "false";
}
