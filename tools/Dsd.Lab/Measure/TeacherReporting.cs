using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Models.Sampling;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Lab.Measure;

/// <summary>Draws with a teacher from captions of held-out subjects, reads what came out, and writes a report of it.</summary>
internal static class TeacherReporting
{
    private static readonly IReadOnlyList<AttributeKind> Kinds = ClassifierConfig.ForWorld.Attributes;
    private static readonly int IdentityCount = Subject.Kinds.Count;

    /// <summary>Makes the report and writes <c>report.json</c>, <c>report.md</c>, <c>singles.png</c>, <c>sheets.png</c> and <c>look.png</c>.</summary>
    /// <param name="options">Which model, where to, how much.</param>
    /// <param name="log">Gets a line for each part.</param>
    /// <param name="cancellationToken">Checked between pictures.</param>
    /// <returns>The report as written.</returns>
    /// <exception cref="DirectoryNotFoundException">The model has no classifier or no judge; the message says how to train one.</exception>
    /// <exception cref="IOException">Something cannot be read or written.</exception>
    public static TeacherReport Run(TeacherReportOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        using AttributeClassifier classifier = AttributeClassifier.Load(Part(options, "classifier"), options.Device);
        using TinyJudge judge = TinyJudge.Load(Part(options, "judge"), options.Device);

        List<AttributeShare> own = ReadDrawings(classifier, options);
        log($"classifier: {options.Drawings} drawings read");
        JudgeFigures onDrawings = JudgeCheck.OnDrawings(judge, options.Drawings, WorldRandom.Mix(options.Seed), options.PanelSize, cancellationToken);
        log($"judge: {options.Drawings} pairs of drawings judged");

        Case[] cases = Cases(options);
        using TextToImagePipeline teacher = TextToImagePipeline.Load(options.ModelFolder, ModelLoading.On(options.Device));
        (IReadOnlyList<LookFigures> across, IReadOnlyList<Picture> looks) = LookAcross.Measure(
            teacher,
            classifier,
            new LookOptions
            {
                PanelSize = options.PanelSize,
                Subjects = options.LookSubjects,
                Steps = options.Steps,
                Guidance = options.Guidance,
                Batch = options.Batch,
                Seed = options.Seed,
            },
            line => log($"teacher: {line}"),
            cancellationToken);
        (IReadOnlyList<Picture> singles, IReadOnlyList<Picture> grids) = Draw(teacher, options, cases, log, cancellationToken);
        int[][] readSingles = classifier.Read(singles);
        ReadGrids read = ReadGrids.Of(grids, options.PanelSize, classifier, judge, cancellationToken);
        (int[][] readA, int[][] readB) = (read.A, read.B);
        log($"judge: {grids.Count} grids judged");

        TeacherReport report = new()
        {
            Subjects = options.Subjects,
            Seed = options.Seed,
            Guidance = options.Guidance,
            Steps = options.Steps,
            Classifier = own,
            Singles = Stated([.. cases.Select((c, i) => (readSingles[i], c.Subject, c.Contexts[0], c.Single, 0))]),
            Panels = Stated([.. cases.SelectMany(
                (c, i) => new[] { (readA[i], c.Subject, c.Contexts[0], c.Grid, 0), (readB[i], c.Subject, c.Contexts[1], c.Grid, 1) })]),
            Agreement = Shares(IdentityCount, readA.Zip(readB), (_, _) => true, (pair, i) => pair.First[i] == pair.Second[i]),
            ConsistentGrids = read.ConsistentShare,
            LookingAcross = across,
            JudgeOnDrawings = onDrawings,
            JudgeOverConfidence = read.Judged,
        };
        TeacherReportFiles.Write(
            options.OutFolder, report, singles, grids, looks, [.. cases.Select(c => c.Single.Text)], [.. cases.Select(c => c.Grid.Text)]);
        return report;
    }

    /// <summary>Draws the report's grids alone, has them judged, and writes <c>judge.json</c>, <c>judge.md</c> and <c>sheets.png</c>.</summary>
    /// <param name="options">Which model, where to, how much.</param>
    /// <param name="log">Gets a line for each part.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>The figures as written.</returns>
    /// <exception cref="DirectoryNotFoundException">The model has no classifier or no judge; the message says how to train one.</exception>
    public static IReadOnlyList<JudgeAtConfidence> RunJudge(TeacherReportOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        using AttributeClassifier classifier = AttributeClassifier.Load(Part(options, "classifier"), options.Device);
        using TinyJudge judge = TinyJudge.Load(Part(options, "judge"), options.Device);
        using TextToImagePipeline teacher = TextToImagePipeline.Load(options.ModelFolder, ModelLoading.On(options.Device));
        IReadOnlyList<Picture> grids = DrawGrids(teacher, options, Cases(options), log, cancellationToken);
        ReadGrids read = ReadGrids.Of(grids, options.PanelSize, classifier, judge, cancellationToken);
        using AttributeClassifier? other = options.SecondClassifier is { } folder ? AttributeClassifier.Load(folder, options.Device) : null;
        TeacherReportFiles.WriteJudge(options, read.Judged, other is null ? null : read.JudgedBy(other, grids, options.PanelSize), grids);
        return read.Judged;
    }

    /// <summary>What is asked for: a picture in the first context, and a grid in both.</summary>
    private sealed record Case(Subject Subject, Context[] Contexts, Caption Single, Caption Grid, long Seed);

    private static string Part(TeacherReportOptions options, string part)
    {
        string folder = Path.Combine(options.ModelFolder, part);
        return Directory.Exists(folder)
            ? folder
            : throw new DirectoryNotFoundException(
                $"The report needs the model's {part}, but there is no folder '{folder}'. Train it: dotnet run -c Release --project tools/Dsd.Lab -- "
                    + $"train --out '{options.ModelFolder}' --stage {part}");
    }

    private static Case[] Cases(TeacherReportOptions options)
    {
        WorldRandom random = new(options.Seed);
        return
        [
            .. Enumerable.Range(0, options.Subjects).Select(i =>
            {
                Subject subject = WorldSampler.SampleSubject(random, heldOut: true);
                Context[] contexts = [WorldSampler.SampleContext(random), WorldSampler.SampleContext(random)];
                // Half of the captions mention every attribute of the subject, half only some, as in training.
                Caption single = i % 2 == 0 ? Captions.Single(subject, contexts[0], random.NextBits()) : Captions.Full(subject, contexts[0], random.NextBits());
                Caption grid = Captions.Grid(subject, contexts, random.NextBits(), wholeSubject: IsWhole(i));
                return new Case(subject, contexts, single, grid, (long)(random.NextBits() >> 1));
            }),
        ];

        // Spread evenly over the grids, and without a random number, so that all else stays as it is.
        bool IsWhole(int i) => Math.Floor((i + 1) * options.WholeSubjectShare) > Math.Floor(i * options.WholeSubjectShare);
    }

    private static (IReadOnlyList<Picture> Singles, IReadOnlyList<Picture> Grids) Draw(
        TextToImagePipeline teacher, TeacherReportOptions options, Case[] cases, Action<string> log, CancellationToken cancellationToken)
    {
        return (DrawAll(teacher, options, cases, "single pictures", 1, c => c.Single.Text, log, cancellationToken),
            DrawGrids(teacher, options, cases, log, cancellationToken));
    }

    private static List<Picture> DrawGrids(
        TextToImagePipeline teacher, TeacherReportOptions options, Case[] cases, Action<string> log, CancellationToken cancellationToken) =>
        DrawAll(teacher, options, cases, "grids", 2, c => c.Grid.Text, log, cancellationToken);

    private static List<Picture> DrawAll(
        TextToImagePipeline teacher, TeacherReportOptions options, Case[] cases, string what, int panels, Func<Case, string> prompt, Action<string> log,
        CancellationToken cancellationToken)
    {
        TextToImageOptions drawing = new()
        {
            Width = panels * options.PanelSize,
            Height = options.PanelSize,
            Steps = options.Steps,
            Guidance = options.Guidance,
        };
        List<Picture> drawn = [];
        foreach (Case[] part in cases.Chunk(options.Batch))
        {
            drawn.AddRange(teacher.Generate(
                [.. part.Select(c => new TextToImageRequest(prompt(c), c.Seed))], drawing, cancellationToken: cancellationToken));
            log($"teacher: {drawn.Count}/{cases.Length} {what}");
        }
        return drawn;
    }

    private static List<AttributeShare> ReadDrawings(AttributeClassifier classifier, TeacherReportOptions options)
    {
        WorldRandom random = new(WorldRandom.Mix(~options.Seed));
        PanelBatches.Panel[] drawn = [.. Enumerable.Range(0, options.Drawings).Select(_ =>
        {
            Subject subject = WorldSampler.SampleSubject(random, heldOut: true);
            return PanelBatches.Pair(subject, subject, random, options.PanelSize).A;
        })];
        return Shares(Kinds.Count, classifier.Read([.. drawn.Select(d => d.Picture)]).Zip(drawn), (_, _) => true,
            (pair, i) => pair.First[i] == pair.Second.Values[i]);
    }

    // Only what a caption states can be asked of a picture.
    private static List<AttributeShare> Stated((int[] Read, Subject Subject, Context Context, Caption Caption, int Panel)[] pictures) => Shares(
        Kinds.Count,
        pictures,
        (p, i) => i < IdentityCount ? p.Caption.StatesSubject(i) : p.Caption.StatesContext(i - IdentityCount, p.Panel),
        (p, i) => p.Read[i] == (i < IdentityCount ? p.Subject.Values[i] : p.Context.Values[i - IdentityCount]));

    private static List<AttributeShare> Shares<T>(int attributes, IEnumerable<T> items, Func<T, int, bool> counts, Func<T, int, bool> right)
    {
        T[] all = [.. items];
        return
        [
            .. Enumerable.Range(0, attributes).Select(i =>
            {
                T[] counted = [.. all.Where(item => counts(item, i))];
                return new AttributeShare(Kinds[i].Name, counted.Length, counted.Length == 0 ? null : counted.Average(item => right(item, i) ? 1.0 : 0.0));
            }),
        ];
    }
}
