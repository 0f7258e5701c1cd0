using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Tiny;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary><c>text</c>: the teacher, from a prompt with what the reference's caption says of the subject, and the new context. It sees no reference.</summary>
internal sealed class TextSystem() : StudySystem("text", "what text alone can do")
{
    public override void Train(StudyContext context)
    {
    }

    public override string StartedFrom(StudyContext context) => "the model's teacher";

    public override IStudyGenerator Open(StudyContext context) => Open(context, keepContext: false);

    /// <summary>The teacher as a generator.</summary>
    /// <param name="context">Model and sizes.</param>
    /// <param name="keepContext">True to say also of the context what the reference's caption says, for changes that keep it.</param>
    public static IStudyGenerator Open(StudyContext context, bool keepContext) => new Generator(
        TextToImagePipeline.Load(context.ModelFolder, context.Loading),
        new TextToImageOptions
        {
            Width = TinyModel.PanelSize,
            Height = TinyModel.PanelSize,
            Steps = context.Config.DrawingSteps,
            Guidance = context.Config.Guidance,
        },
        keepContext);

    /// <summary>The case as text alone.</summary>
    internal static Caption AsText(StudyCase wanted, bool keepContext)
    {
        int context = wanted.Prompt.ContextMasks[0] | (keepContext ? wanted.ReferenceCaption.ContextMasks[0] : 0);
        return Captions.Stating(wanted.Subject, wanted.ReferenceCaption.SubjectMask, wanted.Context, context, (ulong)wanted.Seed);
    }

    private sealed class Generator(TextToImagePipeline teacher, TextToImageOptions options, bool keepContext) : IStudyGenerator
    {
        public IReadOnlyList<Picture> Draw(IReadOnlyList<StudyCase> cases, CancellationToken cancellationToken) => teacher.Generate(
            [.. cases.Select(c => new TextToImageRequest(AsText(c, keepContext).Text, c.Seed))], options, cancellationToken: cancellationToken);

        public void Dispose() => teacher.Dispose();
    }
}
