using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Lab.Training;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary>Reads what systems drew, and what they learned from, with the classifier that no system knows.</summary>
internal static class SystemMeasure
{
    /// <summary>Scores a system's pictures.</summary>
    /// <param name="system">Its name.</param>
    /// <param name="cases">What was asked for.</param>
    /// <param name="pictures">What was drawn, one for each case.</param>
    /// <param name="pairs">What it learned from; null for nothing.</param>
    /// <param name="drawn">How many grids these were chosen from.</param>
    /// <param name="classifier">The measure.</param>
    public static SystemResult Of(
        string system, IReadOnlyList<StudyCase> cases, IReadOnlyList<Picture> pictures, GridPair[]? pairs, int drawn, AttributeClassifier classifier)
    {
        int[][] read = classifier.Read(pictures);
        return new SystemResult
        {
            System = system,
            CpBySubject = BySubject(cases, i => AttributeScores.IdentityShare(read[i], cases[i].Subject)),
            PfBySubject = BySubject(cases, i => AttributeScores.ContextShare(read[i], cases[i].Context, cases[i].Prompt.ContextMasks[0])),
            Attributes = Attributes(cases, read),
            Pairs = pairs?.Length,
            KeptShare = pairs is null ? null : (double)pairs.Length / drawn,
            Purity = pairs is null ? null : Agreement(pairs, classifier).Average(same => same ? 1.0 : 0.0),
        };
    }

    /// <summary>Whether the two panels of each pair read the same in every identity attribute.</summary>
    public static bool[] Agreement(GridPair[] pairs, AttributeClassifier classifier)
    {
        int identity = Subject.Kinds.Count;
        int[][] a = classifier.Read([.. pairs.Select(p => p.A)]);
        int[][] b = classifier.Read([.. pairs.Select(p => p.B)]);
        return [.. a.Zip(b).Select(pair => pair.First.AsSpan(0, identity).SequenceEqual(pair.Second.AsSpan(0, identity)))];
    }

    /// <summary>Each subject's mean over its cases, in the order of the subjects.</summary>
    public static IReadOnlyList<double> BySubject(IReadOnlyList<StudyCase> cases, Func<int, double> score) =>
        [.. Enumerable.Range(0, cases.Count).GroupBy(i => cases[i].SubjectIndex).OrderBy(g => g.Key).Select(g => g.Average(score))];

    private static AttributeShare[] Attributes(IReadOnlyList<StudyCase> cases, int[][] read)
    {
        int identity = Subject.Kinds.Count;
        return
        [
            .. Subject.Kinds.Select((kind, a) => Share(kind.Name, _ => true, i => read[i][a] == cases[i].Subject.Values[a])),
            .. Context.Kinds.Select(
                (kind, a) => Share(kind.Name, i => cases[i].Prompt.StatesContext(a), i => read[i][identity + a] == cases[i].Context.Values[a])),
        ];

        AttributeShare Share(string name, Func<int, bool> counts, Func<int, bool> right)
        {
            int[] counted = [.. Enumerable.Range(0, cases.Count).Where(counts)];
            return new AttributeShare(name, counted.Length, counted.Length == 0 ? null : counted.Average(i => right(i) ? 1.0 : 0.0));
        }
    }
}
