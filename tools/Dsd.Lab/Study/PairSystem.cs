using Dsd.Lab.Training;
using Dsd.Models.Training;

namespace Dsd.Lab.Study;

/// <summary>A system that learns from pairs under the common budget.</summary>
/// <param name="name">Its name in the results.</param>
/// <param name="shows">What it shows, for the table.</param>
/// <param name="data">Chooses its pairs.</param>
/// <param name="train">Trains on examples and writes the weights' file.</param>
/// <param name="open">Loads the weights' file to draw with.</param>
internal sealed class PairSystem(
    string name,
    string shows,
    Func<StudyContext, GridPair[]> data,
    PairSystem.Training train,
    Func<StudyContext, string, IStudyGenerator> open) : StudySystem(name, shows)
{
    /// <summary>Trains on examples and writes the weights' file; the checkpoint goes when that is done.</summary>
    public delegate void Training(
        StudyContext context, IReadOnlyList<TrainingPair> pairs, string file, string checkpoint, IProgress<TrainingProgress> progress);

    public override GridPair[]? Pairs(StudyContext context) => LearnsFromGrids(context.Config) ? data(context) : null;

    public override string StartedFrom(StudyContext context) => LearnsFromGrids(context.Config) ? "the model's teacher" : "the model's own student";

    public override long Steps(StudyContext context) => LearnsFromGrids(context.Config) ? context.Config.Steps : 0;

    public override bool LearnsFromGrids(StudyConfig config) => !(config.ModelsOwnStudent && Name == StudySystems.TheMethod);

    public override void Train(StudyContext context)
    {
        string file = Weights(context);
        if (!LearnsFromGrids(context.Config))
        {
            if (!File.Exists(file))
            {
                throw new FileNotFoundException($"The config asks for the model's own student, but there is no file '{file}'.", file);
            }
            return;
        }
        if (!File.Exists(file))
        {
            GridPair[] pairs = data(context);
            context.Log($"{Name}: {pairs.Length} pairs");
            Directory.CreateDirectory(context.SystemFolder(Name));
            train(context, [.. pairs.SelectMany(p => p.Both)], file, Path.Combine(context.SystemFolder(Name), "checkpoints"),
                context.Progress(Name));
        }
    }

    public override IStudyGenerator Open(StudyContext context) => open(context, Weights(context));

    /// <summary>Nothing is learned of a subject; its reference is encoded.</summary>
    public override double PreparationSeconds(StudyContext context) => ReferenceEncoding.Seconds(context);

    private string Weights(StudyContext context) => LearnsFromGrids(context.Config)
        ? Path.Combine(context.SystemFolder(Name), "weights.safetensors")
        : TinyFiles.AdapterFile(context.ModelFolder);
}
