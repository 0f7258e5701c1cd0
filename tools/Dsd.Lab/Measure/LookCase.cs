using Dsd.Curation.Grids;
using Dsd.Tiny.World;

namespace Dsd.Lab.Measure;

/// <summary>A grid of two panels whose left one is held at a true picture, so that the right one shows whether the teacher looks at it.</summary>
/// <param name="Named">The subject that the caption speaks of.</param>
/// <param name="Held">The subject that is seen in the left panel.</param>
/// <param name="Left">The left panel's context.</param>
/// <param name="Right">The right panel's context.</param>
/// <param name="Caption">What the teacher is asked for.</param>
/// <param name="Seed">Where the noise starts.</param>
internal sealed record LookCase(Subject Named, Subject Held, Context Left, Context Right, Caption Caption, long Seed)
{
    private static readonly int PatternColorIndex = IndexOf("pattern_color");
    private static readonly int AccessoryColorIndex = IndexOf("accessory_color");

    /// <summary>Grids of held-out subjects with captions of the kind that the teacher learned from, each subject in the left panel of its own.</summary>
    public static LookCase[] Draw(int count, ulong seed)
    {
        WorldRandom random = new(WorldRandom.Mix(seed + 1));
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                WorldGrid grid = WorldSampler.SampleGrid(random, GridLayout.OneByTwo, inconsistentShare: 0, heldOut: true);
                Subject subject = grid.Subject;
                return new LookCase(
                    subject, subject, grid.Panels[0].Context, grid.Panels[1].Context, Captions.Grid(grid, random.NextBits()), (long)(random.NextBits() >> 1));
            }),
        ];
    }

    /// <summary>The same with the next case's subject in the left panel, of whom the caption says nothing.</summary>
    public static LookCase[] WithOthers(IReadOnlyList<LookCase> cases) =>
        [.. cases.Select((c, i) => c with { Held = cases.Skip(i + 1).Concat(cases).First(other => other.Named != c.Named).Named })];

    /// <summary>The same with captions that say nothing of the subject.</summary>
    public static LookCase[] Unnamed(IReadOnlyList<LookCase> cases) =>
        [.. cases.Select(c => c with { Caption = Captions.GridStating(c.Named, 0, [c.Left, c.Right], (ulong)c.Seed) })];

    /// <summary>Whether the caption leaves an attribute of the subject open: it neither states it nor that the thing is absent whose colour it is.</summary>
    public bool IsOpen(int attribute) => !Caption.StatesSubject(attribute)
        && !(attribute == PatternColorIndex && Named.Pattern == Pattern.Plain && Caption.StatesSubject(attribute - 1))
        && !(attribute == AccessoryColorIndex && Named.Accessory == Accessory.None && Caption.StatesSubject(attribute - 1));

    private static int IndexOf(string name) => Subject.Kinds.Index().Single(kind => kind.Item.Name == name).Index;
}
