using System.Globalization;
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

    public override string StartedFrom(StudyContext context) => "the model's teacher";

    public override long Steps(StudyContext context) => Tuning(context).Steps;

    public override IStudyGenerator Open(StudyContext context) => new Generator(context, Tuning(context), Weights(context));

    public override double PreparationSeconds(StudyContext context) =>
        SubjectLoraSystem.SecondsPerSubject(context.ModelFolder, context.Device, context.Cases(), Tuning(context), context.CancellationToken);

    /// <summary>How the setting was chosen, in a sentence; null where the study has no such choice.</summary>
    public static string? Choice(StudyContext context)
    {
        if (context.Config.SubjectLoraChoice is not { } options || !context.Config.Includes(SubjectLoraSystem.Name))
        {
            return null;
        }
        SubjectChoice choice = SubjectChoice.Load(ChoiceFile(context));
        SubjectChoice.Setting best = choice.Best(options.LeastPf);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The setting of {SubjectLoraSystem.Name} is the best of {choice.Settings.Count} on {options.Subjects} other held-out subjects with "
                + $"{options.Prompts} prompts each (highest CP at a PF of at least {options.LeastPf}): {best.Text}. There it had a CP of ")
            + $"{StudyTables.Text(best.Cp)} and a PF of {StudyTables.Text(best.Pf)}.";
    }

    private static string ChoiceFile(StudyContext context) => Path.Combine(context.SystemFolder(SubjectLoraSystem.Name), "choice.json");

    /// <summary>The setting that did best on other subjects, or the config's own where there is no choice.</summary>
    private SubjectLoraOptions Tuning(StudyContext context) => context.Config.SubjectLoraChoice is { } options
        ? SubjectChoice.Load(ChoiceFile(context)).Best(options.LeastPf).Apply(context.Config.SubjectTuning)
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
