namespace Dsd.Tiny.World;

/// <summary>A caption or prompt and what it says.</summary>
/// <param name="Text">Lower-case ASCII text.</param>
/// <param name="SubjectMask">Bit i is set where the text states attribute i of <see cref="Subject.Kinds"/>.</param>
/// <param name="ContextMasks">
/// For every panel spoken of, one in a single caption: bit i is set where the text states attribute i of <see cref="Context.Kinds"/>.
/// </param>
public sealed record Caption(string Text, int SubjectMask, IReadOnlyList<int> ContextMasks)
{
    /// <summary>Whether the text states the given attribute of the subject.</summary>
    /// <param name="attribute">Its index in <see cref="Subject.Kinds"/>.</param>
    public bool StatesSubject(int attribute) => (SubjectMask >> attribute & 1) == 1;

    /// <summary>Whether the text states the given attribute of a panel's context.</summary>
    /// <param name="attribute">Its index in <see cref="Context.Kinds"/>.</param>
    /// <param name="panel">The panel's index, 0 for a single caption.</param>
    public bool StatesContext(int attribute, int panel = 0) => (ContextMasks[panel] >> attribute & 1) == 1;
}
