using Dsd.Tiny.World;

namespace Dsd.Lab.Measure;

/// <summary>What the right panels of grids whose left ones were held at true pictures show of the attributes that the captions leave open.</summary>
internal sealed record LookFigures
{
    /// <summary>Who is held, and what is said.</summary>
    public required string Name { get; init; }

    /// <summary>How much noise the held panels carried.</summary>
    public required HeldNoise Noise { get; init; }

    /// <summary>Grids.</summary>
    public required int Grids { get; init; }

    /// <summary>
    /// For each attribute in which share of the grids that leave it open the right panel shows the held subject's value. Where another than the
    /// named subject is held, only grids count in which the two differ in it.
    /// </summary>
    public required IReadOnlyList<AttributeShare> Held { get; init; }

    /// <summary>The same for the named subject's value: chance where it is another than the held one.</summary>
    public required IReadOnlyList<AttributeShare> Named { get; init; }

    /// <summary>The share of what is stated of the subject that the right panel shows; null where nothing is.</summary>
    public required double? Stated { get; init; }

    /// <summary><see cref="Held"/> over all attributes: the figure that tells how far a teacher looks across.</summary>
    public double? HeldShare => Over(Held);

    /// <summary><see cref="Named"/> over all attributes.</summary>
    public double? NamedShare => Over(Named);

    /// <summary>Counts.</summary>
    /// <param name="name">Who is held, and what is said.</param>
    /// <param name="noise">How much noise the held panels carried.</param>
    /// <param name="cases">The grids.</param>
    /// <param name="read">What was read of the right panels: the values of <see cref="Subject.Kinds"/> first.</param>
    public static LookFigures Of(string name, HeldNoise noise, IReadOnlyList<LookCase> cases, IReadOnlyList<int[]> read)
    {
        if (cases.Count != read.Count)
        {
            throw new ArgumentException($"There are {cases.Count} grids, but {read.Count} readings.", nameof(read));
        }
        (LookCase Case, int[] Read)[] all = [.. cases.Zip(read)];
        bool[] stated = [.. from one in all from i in Enumerable.Range(0, Subject.Kinds.Count) where one.Case.Caption.StatesSubject(i)
                            select one.Read[i] == one.Case.Named.Values[i]];
        return new LookFigures
        {
            Name = name,
            Noise = noise,
            Grids = cases.Count,
            Held = Shares(c => c.Held),
            Named = Shares(c => c.Named),
            Stated = stated.Length == 0 ? null : stated.Average(right => right ? 1.0 : 0.0),
        };

        AttributeShare[] Shares(Func<LookCase, Subject> whose) =>
        [
            .. Subject.Kinds.Select((kind, i) =>
            {
                bool[] right =
                [
                    .. all.Where(one => one.Case.IsOpen(i) && (one.Case.Held == one.Case.Named || one.Case.Held.Values[i] != one.Case.Named.Values[i]))
                        .Select(one => one.Read[i] == whose(one.Case).Values[i]),
                ];
                return new AttributeShare(kind.Name, right.Length, right.Length == 0 ? null : right.Average(found => found ? 1.0 : 0.0));
            }),
        ];
    }

    private static double? Over(IReadOnlyList<AttributeShare> shares)
    {
        int count = shares.Sum(share => share.Count);
        return count == 0 ? null : shares.Sum(share => share.Count * (share.Share ?? 0)) / count;
    }
}
