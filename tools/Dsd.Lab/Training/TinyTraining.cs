using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>
/// Trains the embedded model from nothing, stage by stage: tokenizers, autoencoder, judge, classifier, text encoders, teacher, guidance, student.
/// </summary>
/// <remarks>
/// Every stage is decided by the config and its seed. A stage that is done is not done again; one that was interrupted continues from
/// its checkpoint, also on another machine, as long as the whole folder comes along. Several processes may train different stages of one folder at once, where
/// none needs what another one makes.
/// </remarks>
internal static class TinyTraining
{
    private static readonly (string Name, Func<StageContext, bool> Run)[] Stages =
    [
        ("tokenizers", TokenizerStage.Run),
        ("vae", VaeStage.Run),
        ("judge", JudgeStage.Run),
        ("classifier", ClassifierStage.Run),
        ("text", TextStage.Run),
        ("teacher", TeacherStage.Run),
        ("guidance", GuidanceStage.Run),
        ("student", StudentStage.Run),
    ];

    /// <summary>The stages' names, in order.</summary>
    public static IReadOnlyList<string> StageNames { get; } = [.. Stages.Select(s => s.Name)];

    /// <summary>The file that says that a stage is done.</summary>
    public static string Marker(string workFolder, string stage) => Path.Combine(workFolder, $"{stage}.done");

    /// <summary>Trains until all asked stages are done or the time is up.</summary>
    /// <param name="options">Where, on what, how long, which stages.</param>
    /// <param name="log">Called with a line for each step worth knowing.</param>
    /// <param name="cancellationToken">Checked between steps; a checkpoint is written first.</param>
    /// <returns>True if all asked stages are done.</returns>
    /// <exception cref="ArgumentException">A stage is unknown, or the folder was not begun from the model that is named.</exception>
    public static bool Run(TinyTrainingOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        string? unknown = options.Stages.FirstOrDefault(s => !StageNames.Contains(s));
        if (unknown is not null)
        {
            throw new ArgumentException($"Stage '{unknown}': expected one of {string.Join(", ", StageNames)}.", nameof(options));
        }
        TinyTrainingConfig config = TinyTrainingConfig.Load(options.ConfigFile ?? TinyTrainingConfig.DefaultFile);
        DateTime deadline = options.Time is { } time ? DateTime.UtcNow + time : DateTime.MaxValue;
        if (options.Threads is { } threads)
        {
            ProcessorThreads.Bound(threads);
        }
        ModelLoading.AllowTf32();
        StageContext context = new(
            config, options.OutFolder, [.. options.Device.Split(',').Select(name => new Device(name))], deadline, log, cancellationToken);
        Directory.CreateDirectory(context.WorkFolder);
        if (options.StartFolder is { } from)
        {
            StartingModel.Take(from, config, options.OutFolder, context.WorkFolder, log);
        }
        foreach ((string name, Func<StageContext, bool> run) in Stages)
        {
            string marker = Marker(context.WorkFolder, name);
            if (!options.Stages.Contains(name) || File.Exists(marker))
            {
                continue;
            }
            using FileStream held = Hold(context.WorkFolder, name);
            log($"{name}: begins");
            using (DisposeScope scope = NewDisposeScope())
            {
                if (!run(context))
                {
                    log($"{name}: the time is up; the same command continues from here");
                    return false;
                }
            }
            File.WriteAllText(marker, "");
            if (Directory.Exists(context.Checkpoints(name)))
            {
                Directory.Delete(context.Checkpoints(name), recursive: true);
            }
            log($"{name}: done");
        }
        return true;
    }

    /// <summary>Keeps a stage to one process: two that train the same one would write the same checkpoints.</summary>
    private static FileStream Hold(string workFolder, string stage)
    {
        string file = Path.Combine(workFolder, $"{stage}.lock");
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(file))
        {
            throw new IOException($"Stage {stage}: another process trains it in this folder ('{file}' is in use). Wait for it, or name another stage.", e);
        }
    }
}
