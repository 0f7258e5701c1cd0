using Dsd.Imaging;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Dsd.Evaluation.Evaluators;

/// <summary>A true picture, which shows what was meant: OSBench's questions need one.</summary>
public sealed class TruePictureContext : EvaluationContext
{
    /// <summary>The context's name.</summary>
    public const string ContextName = "True picture";

    /// <summary>A context of this picture.</summary>
    /// <param name="picture">An encoded picture.</param>
    /// <exception cref="ArgumentException">It is no picture by its media type.</exception>
    public TruePictureContext(DataContent picture)
        : base(ContextName, picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        if (!picture.HasTopLevelMediaType("image"))
        {
            throw new ArgumentException($"A true picture must be of a media type such as image/png, but is '{picture.MediaType}'.", nameof(picture));
        }
        Picture = () => ScoreEvaluator.Decode(picture, "the true picture");
    }

    internal Func<Picture> Picture { get; }
}
