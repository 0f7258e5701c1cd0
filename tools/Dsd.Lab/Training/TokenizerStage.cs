using Dsd.Lab.Tokenizers;

namespace Dsd.Lab.Training;

/// <summary>Writes both tokenizers from the small world's captions, and the parts of the folder that need no training.</summary>
internal static class TokenizerStage
{
    public static bool Run(StageContext context)
    {
        (int clip, int t5) = TinyTokenizers.Write(context.OutFolder);
        TinyFiles.SaveFrame(context.OutFolder);
        context.Log($"tokenizers: {clip} CLIP entries, {t5} T5 pieces");
        return true;
    }
}
