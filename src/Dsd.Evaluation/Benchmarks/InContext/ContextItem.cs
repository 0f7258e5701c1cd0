namespace Dsd.Evaluation.Benchmarks.InContext;

/// <summary>A generated picture with what it was made from.</summary>
/// <param name="Key">The item's name within its task.</param>
/// <param name="Task">
/// The kind of task, such as <c>single_character</c>. Names with 'scene' in OmniContext and with 'manipulation' in OSBench have rubrics of their own.
/// </param>
/// <param name="Instruction">What was asked for.</param>
/// <param name="Language">The instruction's language, such as <c>en</c>.</param>
/// <param name="References">The files of the given pictures, at least one.</param>
/// <param name="Generated">The generated picture's file.</param>
/// <param name="Truth">A true picture's file; OSBench needs one.</param>
public sealed record ContextItem(
    string Key, string Task, string Instruction, string Language, IReadOnlyList<string> References, string Generated, string? Truth = null)
{
    /// <summary>The item's name in results: <c>TASK/KEY</c>.</summary>
    public string Name => $"{Task}/{Key}";
}
