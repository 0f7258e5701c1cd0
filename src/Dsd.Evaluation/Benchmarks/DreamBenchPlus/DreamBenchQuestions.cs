using Dsd.Evaluation.Judged;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Evaluation.Benchmarks.DreamBenchPlus;

/// <summary>
/// DreamBench++'s two questions (arXiv 2406.16855; <c>eval_concept_preservation.py</c> and <c>eval_prompt_following.py</c> of yuangpeng/dreambench_plus) in its
/// three turns: the rubric from the user, an acknowledgement put into the assistant's mouth, and the pictures from the user, 512 × 512 pixels as JPEG.
/// </summary>
public static class DreamBenchQuestions
{
    /// <summary>The metric of <see cref="ConceptPreservation(DreamBenchItem, Rubrics?)"/>.</summary>
    public const string ConceptPreservationMetric = "dreambench-cp";

    /// <summary>The metric of <see cref="PromptFollowing(DreamBenchItem, Rubrics?)"/>.</summary>
    public const string PromptFollowingMetric = "dreambench-pf";

    /// <summary>The highest score.</summary>
    public const int Most = 4;

    private const int Side = 512;

    private static readonly ScoreForm Form = ScoreForm.Line(Most);

    /// <summary>How well an item's picture keeps the reference's subject, or its style in the category of styles: reference, then generated.</summary>
    /// <param name="item">The item.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    public static ScoreQuestion ConceptPreservation(DreamBenchItem item, Rubrics? rubrics = null)
    {
        ArgumentNullException.ThrowIfNull(item);
        return ConceptPreservation(item.Key, () => Load(item.Reference), () => Load(item.Generated), item.Category == DreamBenchCategory.Style, rubrics);
    }

    /// <summary>How well an item's picture shows what its prompt asks for: prompt, then generated.</summary>
    /// <inheritdoc cref="ConceptPreservation(DreamBenchItem, Rubrics?)"/>
    public static ScoreQuestion PromptFollowing(DreamBenchItem item, Rubrics? rubrics = null)
    {
        ArgumentNullException.ThrowIfNull(item);
        return PromptFollowing(item.Key, item.Text, () => Load(item.Generated), rubrics);
    }

    /// <summary>How well any picture keeps another's subject or style.</summary>
    /// <param name="item">What the pair is called in results.</param>
    /// <param name="reference">Gives the reference when the question is asked.</param>
    /// <param name="generated">Gives the generated picture when the question is asked.</param>
    /// <param name="style">Whether the reference stands for a style.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    public static ScoreQuestion ConceptPreservation(
        string item, Func<Picture> reference, Func<Picture> generated, bool style = false, Rubrics? rubrics = null)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(generated);
        return Question(item, ConceptPreservationMetric, style ? "style" : "subject", rubrics, () => [Sent(reference()), Sent(generated())]);
    }

    /// <summary>How well any picture shows what a prompt asks for.</summary>
    /// <param name="item">What the picture is called in results.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="generated">Gives the generated picture when the question is asked.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    public static ScoreQuestion PromptFollowing(string item, string prompt, Func<Picture> generated, Rubrics? rubrics = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(prompt);
        ArgumentNullException.ThrowIfNull(generated);
        return Question(item, PromptFollowingMetric, "text", rubrics, () => [new TextContent(prompt), Sent(generated())]);
    }

    private static ScoreQuestion Question(string item, string metric, string rubric, Rubrics? rubrics, Func<IList<AIContent>> shown)
    {
        rubrics ??= Rubrics.Own;
        (string user, string assistant) = (rubrics.Text($"user_prompt_{rubric}_full.txt"), rubrics.Text($"gpt_prompt_{rubric}_full.txt"));
        return new ScoreQuestion
        {
            Item = item,
            Metric = metric,
            Form = Form,
            Messages = () => [new(ChatRole.User, user), new(ChatRole.Assistant, assistant), new(ChatRole.User, shown())],
        };
    }

    // As Pillow's convert('RGB'), which the original calls.
    private static Picture Load(string file) => Picture.Load(file, Transparency.Dropped);

    private static DataContent Sent(Picture picture) => ScoreJudge.Sent(picture, Side, Side);
}
