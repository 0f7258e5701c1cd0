using Dsd.Imaging;
using Dsd.Lab.Study.Baselines;

namespace Dsd.Lab.Study;

/// <summary><c>per_subject_lora</c>: a LoRA tuned on each reference, as DreamBooth does.</summary>
internal sealed class SubjectSystem() : StudySystem(SubjectLoraSystem.Name, "what the paper competes with")
{
    public override void Train(StudyContext context)
    {
        if (context.Config.SubjectLoraChoice is { } options)
        {
            SubjectChoice.Make(context, options, context.SystemFolder(Name));
        }
        SubjectLoraSystem.Train(
            context.ModelFolder, context.Device, context.Cases(), Tuning(context), Weights(context), context.Progress(Name), context.CancellationToken);
    }

    public override IStudyGenerator Open(StudyContext context) => new Generator(context, Tuning(context), Weights(context));

    public override double PreparationSeconds(StudyContext context) =>
        SubjectLoraSystem.SecondsPerSubject(context.ModelFolder, context.Device, context.Cases(), Tuning(context), context.CancellationToken);

    /// <summary>The setting that did best on other subjects, or the config's own where there is no choice.</summary>
    private SubjectLoraOptions Tuning(StudyContext context) => context.Config.SubjectLoraChoice is { } options
        ? SubjectChoice.Load(Path.Combine(context.SystemFolder(Name), "choice.json")).Best(options.LeastPf).Apply(context.Config.SubjectTuning)
        : context.Config.SubjectTuning;

    private string Weights(StudyContext context) => Path.Combine(context.SystemFolder(Name), "subjects");

    private sealed class Generator(StudyContext context, SubjectLoraOptions options, string weights) : IStudyGenerator
    {
        public IReadOnlyList<Picture> Draw(IReadOnlyList<StudyCase> cases, CancellationToken cancellationToken) =>
            SubjectLoraSystem.Draw(context.ModelFolder, context.Device, weights, cases, options, cancellationToken);

        public void Dispose()
        {
        }
    }
}
