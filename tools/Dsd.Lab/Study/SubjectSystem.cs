using Dsd.Imaging;
using Dsd.Lab.Study.Baselines;

namespace Dsd.Lab.Study;

/// <summary><c>per_subject_lora</c>: a LoRA tuned on each reference, as DreamBooth does.</summary>
internal sealed class SubjectSystem() : StudySystem(SubjectLoraSystem.Name, "what the paper competes with")
{
    public override void Train(StudyContext context) => SubjectLoraSystem.Train(
        context.ModelFolder, context.Device, context.Cases(), context.Config.SubjectTuning, Weights(context), context.Progress(Name),
        context.CancellationToken);

    public override IStudyGenerator Open(StudyContext context) => new Generator(context, Weights(context));

    public override double PreparationSeconds(StudyContext context) =>
        SubjectLoraSystem.SecondsPerSubject(context.ModelFolder, context.Device, context.Cases(), context.Config.SubjectTuning, context.CancellationToken);

    private string Weights(StudyContext context) => Path.Combine(context.SystemFolder(Name), "subjects");

    private sealed class Generator(StudyContext context, string weights) : IStudyGenerator
    {
        public IReadOnlyList<Picture> Draw(IReadOnlyList<StudyCase> cases, CancellationToken cancellationToken) =>
            SubjectLoraSystem.Draw(context.ModelFolder, context.Device, weights, cases, context.Config.SubjectTuning, cancellationToken);

        public void Dispose()
        {
        }
    }
}
