using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Tiny.Classifier;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Study;

/// <summary>
/// The paper's experiment in the small world, where the truth is known: ten systems draw the same held-out subjects from the same prompts,
/// and a classifier that none of them knows counts what came out; then the second task, relighting.
/// </summary>
/// <remarks>
/// Everything is decided by the model, the config and its seed. What is done is not done again, what was interrupted continues, and several
/// processes may do different parts in one folder at the same time once the grids are there.
/// </remarks>
internal static class TinyStudy
{
    /// <summary>The part that draws and judges the grids.</summary>
    public const string Grids = "grids";

    /// <summary>The part that times each system. Do it while nothing else uses the device.</summary>
    public const string Timing = "timing";

    /// <summary>The systems' names, in the order of the results.</summary>
    public static IReadOnlyList<string> SystemNames { get; } = [.. StudySystems.All.Select(s => s.Name)];

    /// <summary>All parts, in the order in which they are done.</summary>
    public static IReadOnlyList<string> PartNames { get; } = [Grids, .. SystemNames, Relighting.Name, Timing];

    /// <summary>Does the parts that are asked for, as far as they are not done; if all are asked for, writes the report too.</summary>
    /// <param name="options">With which model, where, on what, how long and how far.</param>
    /// <param name="log">Called with a line for each step worth knowing.</param>
    /// <param name="cancellationToken">Checked between steps; the state is written first.</param>
    /// <returns>True if all is done, false if the time was up before.</returns>
    /// <exception cref="ArgumentException">A part is unknown, or the folder holds a study of other sizes.</exception>
    /// <exception cref="DirectoryNotFoundException">The model has no judge or no classifier; the message says how to train one.</exception>
    /// <exception cref="System.Text.Json.JsonException">The config is none.</exception>
    public static bool Run(StudyOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        if (options.Only.FirstOrDefault(p => !PartNames.Contains(p)) is { } unknown)
        {
            throw new ArgumentException($"Part '{unknown}': expected one of {string.Join(", ", PartNames)}.", nameof(options));
        }
        StudyConfig config = StudyConfig.Load(options.ConfigFile ?? StudyConfig.DefaultFile);
        config = options.Seed is { } seed ? config with { Seed = seed } : config;
        // The steps know no deadline: time that is up cancels them, which writes their state too.
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (options.Time is { } time)
        {
            stop.StopAfter(time);
        }
        if (options.Only.FirstOrDefault(config.LeftOut.Contains) is { } left)
        {
            throw new ArgumentException($"Part '{left}' is left out of the study by its config.", nameof(options));
        }
        StudyContext context = new(
            config, options.OutFolder, options.ModelFolder, [.. options.Device.Split(',').Select(name => new Device(name))], log, stop.Token);
        context.Part("judge");
        context.Part("classifier");
        Claim(context);
        ModelLoading.AllowTf32();
        try
        {
            foreach (string part in Parts(config).Where(p => options.Only.Count == 0 || options.Only.Contains(p)))
            {
                context.CancellationToken.ThrowIfCancellationRequested();
                using DisposeScope scope = NewDisposeScope();
                RunPart(context, part);
            }
            if (options.Only.Count == 0)
            {
                StudyReport.Write(context);
            }
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            log("The time is up; the same command continues from here.");
            return false;
        }
    }

    /// <summary>The parts that a config asks for. Grids that nobody learns from are not drawn.</summary>
    private static IEnumerable<string> Parts(StudyConfig config)
    {
        bool grids = config.Includes(Relighting.Name) || StudySystems.Of(config).Any(s => s.LearnsFromGrids(config));
        return PartNames.Where(p => p == Grids ? grids : !config.LeftOut.Contains(p));
    }

    private static void RunPart(StudyContext context, string part)
    {
        switch (part)
        {
            case Grids:
                DrawGrids(context);
                break;
            case Timing:
                Time(context);
                break;
            case Relighting.Name:
                Once(context, part, () => Relighting.Run(context));
                break;
            default:
                StudySystem system = StudySystems.All.Single(s => s.Name == part);
                Once(context, part, () => Measure(context, system));
                break;
        }
    }

    /// <summary>Does a part unless its result is there.</summary>
    private static void Once(StudyContext context, string part, Action run)
    {
        if (!File.Exists(Path.Combine(context.SystemFolder(part), "result.json")))
        {
            context.Log($"{part}: begins");
            run();
            context.Log($"{part}: done");
        }
    }

    /// <summary>Holds the folder to one config: its parts would otherwise not belong together.</summary>
    private static void Claim(StudyContext context)
    {
        string file = Path.Combine(context.OutFolder, "study.json");
        if (File.Exists(file) && StudyJson.Text(StudyConfig.Load(file)) != StudyJson.Text(context.Config))
        {
            throw new ArgumentException(
                $"The folder '{context.OutFolder}' holds a study with another config or seed, see '{file}'. Choose another folder, or the same config "
                    + $"and seed to go on.");
        }
        context.Config.Save(file);
    }

    private static void DrawGrids(StudyContext context)
    {
        foreach (GridSet grids in new[] { GridSet.Varied(context), GridSet.OneTemplate(context), GridSet.Relight(context) })
        {
            // Judged means drawn.
            if (!grids.IsJudged)
            {
                context.Log($"grids: '{grids.Name}' begins");
                grids.Curate(grids.Pairs());
            }
        }
    }

    private static void Measure(StudyContext context, StudySystem system)
    {
        system.Train(context);
        IReadOnlyList<StudyCase> cases = context.Cases();
        IReadOnlyList<Picture> pictures = Pictures(context, system, cases);
        using AttributeClassifier classifier = context.OpenClassifier();
        SystemResult result = SystemMeasure.Of(system.Name, cases, pictures, system.Pairs(context), context.Config.Grids, classifier);
        result.Save(Path.Combine(context.SystemFolder(system.Name), "result.json"));
        context.Log($"{system.Name}: {result.Scores}");
    }

    /// <summary>What a system drew of the cases: read where it is there, drawn where it is not.</summary>
    internal static IReadOnlyList<Picture> Pictures(StudyContext context, StudySystem system, IReadOnlyList<StudyCase> cases) =>
        StudyDrawing.Complete(context, system.Name, Path.Combine(context.SystemFolder(system.Name), "pictures"), cases, () => system.Open(context));

    private static void Time(StudyContext context)
    {
        IReadOnlyList<StudyCase> cases = context.Cases();
        foreach (StudySystem system in StudySystems.Of(context.Config))
        {
            string file = Path.Combine(context.SystemFolder(system.Name), "timing.json");
            if (File.Exists(file))
            {
                continue;
            }
            system.Train(context);
            using IStudyGenerator generator = system.Open(context);
            double picture = StudyDrawing.SecondsPerPicture(generator, cases, context.CancellationToken);
            SystemTiming timing = new(picture, system.PreparationSeconds(context));
            timing.Save(file);
            context.Log(FormattableString.Invariant(
                $"timing: {system.Name}: {timing.SecondsPerPicture:F3} s a picture, {timing.PreparationSeconds:F4} s a subject"));
        }
    }
}
