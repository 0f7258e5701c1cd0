using Dsd.Imaging;

namespace Dsd.Evaluation.Metrics;

/// <summary>What a metric looks at.</summary>
/// <param name="Subject">Whom the pictures show: pictures of one subject have one name.</param>
/// <param name="Category">The subject's kind, such as <c>animal</c>; null where there are none.</param>
/// <param name="Name">The picture's name among its subject's.</param>
/// <param name="Reference">The picture of the subject.</param>
/// <param name="Generated">The picture that was made of it.</param>
/// <param name="Prompt">What the picture should show; null where nobody says.</param>
public sealed record MetricItem(string Subject, string? Category, string Name, Picture Reference, Picture Generated, string? Prompt)
{
    /// <summary>Further given pictures, behind <see cref="Reference"/>, each loaded when it is asked for. Default none.</summary>
    public IReadOnlyList<Func<Picture>> FurtherReferences { get; init; } = [];

    /// <summary>Loads a true picture, which shows what was meant; null, the default, where there is none.</summary>
    public Func<Picture>? Truth { get; init; }
}
