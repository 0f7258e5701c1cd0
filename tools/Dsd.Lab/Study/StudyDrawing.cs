using System.Diagnostics;
using Dsd.Imaging;
using Dsd.Lab.Training;

namespace Dsd.Lab.Study;

/// <summary>Draws cases part by part, and times single pictures.</summary>
internal static class StudyDrawing
{
    private const int TimedPictures = 3;

    /// <summary>
    /// The pictures of all cases: those in the folder, and the missing ones as they are drawn. What it takes to draw is loaded only if one is
    /// missing.
    /// </summary>
    public static IReadOnlyList<Picture> Complete(StudyContext context, string name, string folder, IReadOnlyList<StudyCase> cases, Func<IStudyGenerator> open)
    {
        IStudyGenerator? generator = null;
        try
        {
            return PictureParts.Complete(folder, 0, cases.Count, context.Config.DrawingBatch, context.PanelSize, (first, count) =>
            {
                generator ??= open();
                return Part(context, name, generator, cases, first, count);
            });
        }
        finally
        {
            generator?.Dispose();
        }
    }

    /// <summary>The pictures of all cases, drawn now and kept in memory alone.</summary>
    public static IReadOnlyList<Picture> Anew(StudyContext context, string name, IReadOnlyList<StudyCase> cases, IStudyGenerator generator)
    {
        int batch = context.Config.DrawingBatch;
        return
        [
            .. Enumerable.Range(0, (cases.Count + batch - 1) / batch)
                .SelectMany(i => Part(context, name, generator, cases, i * batch, Math.Min(batch, cases.Count - (i * batch)))),
        ];
    }

    /// <summary>Seconds of one picture that is asked for alone, after one that is not counted.</summary>
    public static double SecondsPerPicture(IStudyGenerator generator, IReadOnlyList<StudyCase> cases, CancellationToken cancellationToken)
    {
        generator.Draw([cases[0]], cancellationToken);
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < TimedPictures; i++)
        {
            generator.Draw([cases[i % cases.Count]], cancellationToken);
        }
        return watch.Elapsed.TotalSeconds / TimedPictures;
    }

    private static IReadOnlyList<Picture> Part(
        StudyContext context, string name, IStudyGenerator generator, IReadOnlyList<StudyCase> cases, int first, int count)
    {
        IReadOnlyList<Picture> drawn = generator.Draw([.. cases.Skip(first).Take(count)], context.CancellationToken);
        context.Log($"{name}: {first + count}/{cases.Count} pictures drawn");
        return drawn;
    }
}
