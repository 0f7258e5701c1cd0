using System.Globalization;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study.Baselines;

/// <summary>What settings of <see cref="SubjectLoraSystem"/> came to on other held-out subjects: the content of <c>choice.json</c>.</summary>
/// <param name="Settings">The settings that were tried so far.</param>
internal sealed record SubjectChoice(IReadOnlyList<SubjectChoice.Setting> Settings)
{
    // Far from the study's seed and its neighbours, which other measurements take.
    private const ulong Salt = 0xC401_CE5;

    /// <summary>A setting and what came of it.</summary>
    internal sealed record Setting(
        long Steps, double LearningRate, int PriorSamples, bool Described, float Scale, float TextGuidance, Interval Cp, Interval Pf)
    {
        internal static Setting Of(SubjectLoraOptions options, SystemResult result) => new(
            options.Steps, options.LearningRate, options.PriorSamples, options.Described, options.Scale, options.TextGuidance, result.Cp, result.Pf);

        /// <summary>The setting in words.</summary>
        internal string Text => string.Create(
            CultureInfo.InvariantCulture,
            $"{Steps} steps at {LearningRate}, {PriorSamples} prior samples, {(Described ? "the caption in its prompts" : "the rare word alone")}, scale "
                + $"{Scale}, text guidance {TextGuidance}");

        internal bool Is(SubjectLoraOptions o) => (Steps, LearningRate, PriorSamples, Described, Scale, TextGuidance)
            == (o.Steps, o.LearningRate, o.PriorSamples, o.Described, o.Scale, o.TextGuidance);

        internal SubjectLoraOptions Apply(SubjectLoraOptions common) => common with
        {
            Steps = Steps,
            LearningRate = LearningRate,
            PriorSamples = PriorSamples,
            Described = Described,
            Scale = Scale,
            TextGuidance = TextGuidance,
        };
    }

    /// <summary>The setting of the highest CP that follows the prompt well enough; where none does, the one that follows it best.</summary>
    public Setting Best(double leastPf) => Settings.Where(s => s.Pf.Mean >= leastPf).MaxBy(s => s.Cp.Mean) ?? Settings.MaxBy(s => s.Pf.Mean)
        ?? throw new InvalidOperationException("No setting has been tried.");

    /// <summary>Reads what was tried.</summary>
    /// <exception cref="System.Text.Json.JsonException">The file holds nothing of the kind; the message names it.</exception>
    public static SubjectChoice Load(string file) => StudyJson.Load<SubjectChoice>(file, "settings that were tried; delete the file to have them tried again");

    /// <summary>Tries every setting on subjects that the study does not ask for. Those in the folder's <c>choice.json</c> are not tried again.</summary>
    /// <param name="context">Model, config and device.</param>
    /// <param name="options">Which settings, on how many subjects.</param>
    /// <param name="folder">For <c>choice.json</c>, and for factors while they are needed.</param>
    public static SubjectChoice Make(StudyContext context, SubjectChoiceOptions options, string folder)
    {
        string file = Path.Combine(folder, "choice.json");
        SubjectChoice choice = File.Exists(file) ? Load(file) : new([]);
        IReadOnlyList<IReadOnlyList<SubjectLoraOptions>> settings = options.Settings(context.Config.SubjectTuning);
        if (settings.SelectMany(s => s).All(choice.Has))
        {
            return choice;
        }
        using AttributeClassifier classifier = context.OpenClassifier();
        IReadOnlyList<StudyCase> cases = Cases(context.Config, options);
        foreach (IReadOnlyList<SubjectLoraOptions> drawings in settings)
        {
            SubjectLoraOptions[] missing = [.. drawings.Where(d => !choice.Has(d))];
            if (missing.Length == 0)
            {
                continue;
            }
            string factors = Path.Combine(folder, "choice-factors");
            // What lies there is of an interrupted run, which may have tuned in another way.
            Forget(factors);
            SubjectLoraSystem.Train(
                context.ModelFolder, context.Device, cases, missing[0], factors, context.Progress($"{SubjectLoraSystem.Name}, choice"),
                context.CancellationToken);
            foreach (SubjectLoraOptions drawing in missing)
            {
                IReadOnlyList<Picture> pictures = SubjectLoraSystem.Draw(
                    context.ModelFolder, context.Device, factors, cases, drawing, context.CancellationToken);
                Setting tried = Setting.Of(drawing, SystemMeasure.Of(SubjectLoraSystem.Name, cases, pictures, pairs: null, drawn: 0, classifier));
                choice = new SubjectChoice([.. choice.Settings, tried]);
                StudyJson.Save(file, choice);
                context.Log($"{SubjectLoraSystem.Name}, choice: {tried.Text}: CP {StudyTables.Text(tried.Cp)}, PF {StudyTables.Text(tried.Pf)}");
            }
            Forget(factors);
        }
        return choice;
    }

    /// <summary>Cases of held-out subjects, none of which is the study's.</summary>
    internal static IReadOnlyList<StudyCase> Cases(StudyConfig config, SubjectChoiceOptions options)
    {
        HashSet<Subject> asked = [.. StudyCases.Draw(config.Seed, config.Subjects, prompts: 1).Select(c => c.Subject)];
        long seed = unchecked((long)((ulong)config.Seed ^ Salt));
        return
        [
            .. StudyCases.Draw(seed, options.Subjects + config.Subjects, options.Prompts)
                .Where(c => !asked.Contains(c.Subject))
                .Take(options.Subjects * options.Prompts),
        ];
    }

    private bool Has(SubjectLoraOptions options) => Settings.Any(s => s.Is(options));

    private static void Forget(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
