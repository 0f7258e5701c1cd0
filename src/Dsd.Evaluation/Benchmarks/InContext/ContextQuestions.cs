using Dsd.Evaluation.Judged;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Evaluation.Benchmarks.InContext;

/// <summary>
/// The two questions of OmniContext and OSBench, PF (prompt following) and SC (subject consistency), each a whole number from 0 to 10 with a reason: one
/// message with the rubric, the instruction in it, and the pictures after it.
/// </summary>
/// <remarks>
/// <para>Given pictures of more than 1024 × 1024 pixels are scaled down to that, and sides cut to multiples of 16, as in the original code. OSBench scales the
/// generated picture to the first given one's size.</para>
/// <para>OmniContext shows the given pictures and the generated one. OSBench shows for PF the given ones, the true one and the generated one, and for SC and
/// for manipulations the true one and the generated one. Its rubric for single subjects is never used by its own code, so there is none here.</para>
/// </remarks>
public static class ContextQuestions
{
    /// <summary>The highest score.</summary>
    public const int Most = 10;

    private const double MostPixels = 1024 * 1024;

    private static readonly ScoreForm PromptForm = ScoreForm.Json(Most, "prompt_following");
    private static readonly ScoreForm SubjectForm = ScoreForm.Json(Most, "subject_consistency");

    /// <summary>How well an item's picture follows the instruction, whoever is in it.</summary>
    /// <param name="item">The item.</param>
    /// <param name="benchmark">Whose question.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    /// <exception cref="ArgumentException">OSBench needs a true picture, and the item has none.</exception>
    public static ScoreQuestion PromptFollowing(ContextItem item, ContextBenchmark benchmark, Rubrics? rubrics = null) =>
        Question(item, benchmark, "pf", PromptForm, rubrics);

    /// <summary>How well an item's picture keeps the subjects; for manipulations, the rest of the scene.</summary>
    /// <inheritdoc cref="PromptFollowing"/>
    public static ScoreQuestion SubjectConsistency(ContextItem item, ContextBenchmark benchmark, Rubrics? rubrics = null) =>
        Question(item, benchmark, "sc", SubjectForm, rubrics);

    /// <summary>The metric of PF or SC, such as <c>omnicontext-pf</c>.</summary>
    internal static string MetricOf(ContextBenchmark benchmark, string part) => $"{(benchmark == ContextBenchmark.OSBench ? "osbench" : "omnicontext")}-{part}";

    private static ScoreQuestion Question(ContextItem item, ContextBenchmark benchmark, string part, ScoreForm form, Rubrics? rubrics)
    {
        ArgumentNullException.ThrowIfNull(item);
        ContextPictures pictures = new(
            [.. item.References.Select(file => new Func<Picture>(() => Load(file)))],
            () => Load(item.Generated),
            item.Truth is { } truth ? () => Load(truth) : null);
        return Question(item.Name, item.Task, item.Instruction, pictures, benchmark, part, form, rubrics);
    }

    /// <summary>PF and SC of any picture.</summary>
    internal static (ScoreQuestion PromptFollowing, ScoreQuestion SubjectConsistency) Both(
        string name, string task, string instruction, ContextPictures pictures, ContextBenchmark benchmark, Rubrics? rubrics) =>
        (Question(name, task, instruction, pictures, benchmark, "pf", PromptForm, rubrics),
            Question(name, task, instruction, pictures, benchmark, "sc", SubjectForm, rubrics));

    private static ScoreQuestion Question(
        string name, string task, string instruction, ContextPictures pictures, ContextBenchmark benchmark, string part, ScoreForm form, Rubrics? rubrics)
    {
        bool isOSBench = benchmark == ContextBenchmark.OSBench;
        if (isOSBench && pictures.Truth is null)
        {
            throw new ArgumentException($"Item '{name}': OSBench's questions need a true picture (output_image), but it has none.", nameof(pictures));
        }
        bool isManipulation = isOSBench && task.Contains("manipulation", StringComparison.Ordinal);
        string rubric = isManipulation ? $"osbench_manipulation_{part}.txt"
            : isOSBench ? $"osbench_{part}.txt"
            : task.Contains("scene", StringComparison.Ordinal) ? $"omnicontext_{part}_scene.txt"
            : $"omnicontext_{part}.txt";
        string text = (rubrics ?? Rubrics.Own).Text(rubric).Replace("<instruction>", instruction, StringComparison.Ordinal);
        bool showsReferences = !isOSBench || part == "pf" && !isManipulation;
        return new ScoreQuestion
        {
            Item = name,
            Metric = MetricOf(benchmark, part),
            Form = form,
            Messages = () => [new ChatMessage(ChatRole.User, [new TextContent(text), .. Sent(pictures, isOSBench, showsReferences)])],
        };
    }

    private static IEnumerable<AIContent> Sent(ContextPictures pictures, bool isOSBench, bool showsReferences)
    {
        Picture[] references = [.. (showsReferences ? pictures.References : pictures.References.Take(1)).Select(load => load())];
        foreach (Picture reference in showsReferences ? references : [])
        {
            (int width, int height) = SizeOf(reference);
            yield return ScoreJudge.Sent(reference, width, height);
        }
        if (isOSBench)
        {
            Picture truth = pictures.Truth!();
            yield return ScoreJudge.Sent(truth, truth.Width, truth.Height);
        }
        Picture generated = pictures.Generated();
        (int w, int h) = isOSBench ? SizeOf(references[0]) : (generated.Width, generated.Height);
        yield return ScoreJudge.Sent(generated, w, h);
    }

    private static (int Width, int Height) SizeOf(Picture picture)
    {
        double scale = Math.Min(1, Math.Sqrt(MostPixels / ((double)picture.Width * picture.Height)));
        return (Side(picture.Width), Side(picture.Height));

        int Side(int pixels) => Math.Max(16, (int)(pixels * scale) / 16 * 16);
    }

    private static Picture Load(string file) => Picture.Load(file, Transparency.Dropped);
}

/// <summary>The pictures of a question, each loaded when it is asked.</summary>
internal sealed record ContextPictures(IReadOnlyList<Func<Picture>> References, Func<Picture> Generated, Func<Picture>? Truth);
