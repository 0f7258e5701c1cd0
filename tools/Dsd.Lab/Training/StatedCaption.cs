using Dsd.Curation.Grids;
using Dsd.Tiny.World;

namespace Dsd.Lab.Training;

/// <summary>A caption or prompt with what a reader can know from it: of every attribute its value, or that nothing is said of it.</summary>
/// <param name="Text">The text.</param>
/// <param name="Stated">For each of <see cref="Attributes"/> 0 where the text does not state it, otherwise its value's index plus one.</param>
internal sealed record StatedCaption(string Text, IReadOnlyList<int> Stated)
{
    private const int MostPanels = 4;

    /// <summary>What a text may state: the subject's attributes, then the context's for each of four panels.</summary>
    public static IReadOnlyList<AttributeKind> Attributes { get; } =
    [
        .. Subject.Kinds,
        .. Enumerable.Range(1, MostPanels).SelectMany(panel => Context.Kinds.Select(kind => kind with { Name = $"{kind.Name} {panel}" })),
    ];

    /// <summary>The most answers that an attribute has, 'not stated' included.</summary>
    public static int Answers { get; } = Attributes.Max(kind => kind.Count) + 1;

    /// <summary>A text of any of the kinds that teacher and student meet.</summary>
    /// <param name="random">Where the randomness comes from.</param>
    /// <param name="heldOut">True for subjects that no training sees.</param>
    public static StatedCaption Draw(WorldRandom random, bool heldOut = false)
    {
        switch (random.Next(7))
        {
            case 0:
                return Grid(WorldSampler.SampleGrid(random, GridLayout.OneByTwo, heldOut: heldOut), random);
            case 1:
                return Grid(WorldSampler.SampleGrid(random, GridLayout.TwoByTwo, heldOut: heldOut), random);
            case 2:
                WorldGrid relit = WorldSampler.SampleRelightGrid(random, heldOut: heldOut);
                (Context left, Context right) = (relit.Panels[0].Context, relit.Panels[1].Context);
                return Of(Captions.RelightGrid(relit.Subject, left, left.Light, right.Light, random.NextBits(), wholeSubject: random.Chance(0.5)),
                    relit.Subject, [left, right]);
        }
        Subject subject = WorldSampler.SampleSubject(random, heldOut);
        Context context = WorldSampler.SampleContext(random);
        Caption caption = random.Next(4) switch
        {
            0 => Captions.Single(subject, context, random.NextBits()),
            1 => Captions.Full(subject, context, random.NextBits()),
            2 => Captions.Edit(context, random.NextBits()),
            _ => Captions.Relight(context.Light, random.NextBits()),
        };
        return Of(caption, subject, [context]);
    }

    /// <summary>What a caption states of the subject and the contexts that it speaks of.</summary>
    public static StatedCaption Of(Caption caption, Subject subject, IReadOnlyList<Context> contexts)
    {
        int[] stated = new int[Attributes.Count];
        int[] values = subject.Values;
        for (int i = 0; i < values.Length; i++)
        {
            stated[i] = caption.StatesSubject(i) ? values[i] + 1 : 0;
        }
        for (int panel = 0; panel < caption.ContextMasks.Count; panel++)
        {
            values = contexts[panel].Values;
            for (int i = 0; i < values.Length; i++)
            {
                stated[Subject.Kinds.Count + panel * values.Length + i] = caption.StatesContext(i, panel) ? values[i] + 1 : 0;
            }
        }
        return new StatedCaption(caption.Text, stated);
    }

    private static StatedCaption Grid(WorldGrid grid, WorldRandom random) =>
        Of(Captions.Grid(grid, random.NextBits(), wholeSubject: random.Chance(0.5)), grid.Subject, [.. grid.Panels.Select(panel => panel.Context)]);
}
