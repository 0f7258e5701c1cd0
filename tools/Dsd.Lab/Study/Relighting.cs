using System.Globalization;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Tiny;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary>The second task: a reference drawn again under another light, with everything else in its place.</summary>
internal static class Relighting
{
    public const string Name = "relight";

    private const int LightMask = 1 << 4;
    private const int StructureMask = LightMask - 1;

    private static readonly PairSystem Student = StudySystems.Dsd(Name, "the method, on grids of one picture under two lights", c => GridSet.Relight(c).Kept());

    /// <summary>Trains the student, draws, measures, and writes <c>result.json</c>.</summary>
    public static void Run(StudyContext context)
    {
        string folder = context.SystemFolder(Name);
        IReadOnlyList<StudyCase> cases = Cases(context.Config);
        Student.Train(context);
        using AttributeClassifier classifier = context.OpenClassifier();
        RelightResult[] results =
        [
            .. Drawings(context, cases).Select(d => Measure(d.System, cases, d.Pictures, classifier)),
        ];
        StudyJson.Save(Path.Combine(folder, "result.json"), results);
        foreach (RelightResult r in results)
        {
            context.Log(string.Create(
                CultureInfo.InvariantCulture,
                $"relight: {r.System}: identity {r.Identity.Mean:F3}, structure {r.Structure.Mean:F3}, light {r.Light.Mean:F3}, pixels "
                    + $"{r.PixelError.Mean:F1} of 255 off"));
        }
    }

    /// <summary>What each system drew: read where it is there, drawn where it is not.</summary>
    public static IReadOnlyList<(string System, IReadOnlyList<Picture> Pictures)> Drawings(StudyContext context, IReadOnlyList<StudyCase> cases)
    {
        string folder = context.SystemFolder(Name);
        return
        [
            (Name, StudyDrawing.Complete(context, Name, Path.Combine(folder, "pictures"), cases, () => Student.Open(context))),
            ("copy", [.. cases.Select(c => c.Reference)]),
            ("text", StudyDrawing.Complete(context, Name, Path.Combine(folder, "text-pictures"), cases, () => TextSystem.Open(context, keepContext: true))),
        ];
    }

    /// <summary>The study's subjects and references, in every light but the reference's.</summary>
    public static IReadOnlyList<StudyCase> Cases(StudyConfig config) =>
    [
        .. from one in StudyCases.Draw(config.Seed, config.Subjects, prompts: 1)
           from light in Enum.GetValues<Light>()
           where light != one.ReferenceContext.Light
           let seed = one.Seed + (int)light
           select one with { Context = one.ReferenceContext with { Light = light }, Prompt = Captions.Relight(light, (ulong)seed), Seed = seed },
    ];

    private static RelightResult Measure(string system, IReadOnlyList<StudyCase> cases, IReadOnlyList<Picture> pictures, AttributeClassifier classifier)
    {
        int[][] read = classifier.Read(pictures);
        return new RelightResult(
            system,
            cases.DistinctBy(c => c.SubjectIndex).Count(),
            Mean(i => AttributeScores.IdentityShare(read[i], cases[i].Subject)),
            Mean(i => AttributeScores.ContextShare(read[i], cases[i].Context, StructureMask)),
            Mean(i => AttributeScores.ContextShare(read[i], cases[i].Context, LightMask)),
            Mean(i => Difference(pictures[i], Renderer.Draw(cases[i].Subject, cases[i].Context, TinyModel.PanelSize))));

        Interval Mean(Func<int, double> score) => Interval.Bootstrap(SystemMeasure.BySubject(cases, score), new WorldRandom(3).Next);
    }

    private static double Difference(Picture a, Picture b)
    {
        long sum = 0;
        for (int i = 0; i < a.Pixels.Length; i++)
        {
            sum += Math.Abs(a.Pixels[i] - b.Pixels[i]);
        }
        return (double)sum / a.Pixels.Length;
    }
}
