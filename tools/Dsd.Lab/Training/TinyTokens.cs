using Dsd.Models.Text;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Both tokenizers of the folder that is being trained.</summary>
internal sealed class TinyTokens
{
    private const int ClipLength = 77;
    private readonly ClipTokenizer _clip;
    private readonly T5Tokenizer _t5;
    private readonly int _t5Length;

    private TinyTokens(ClipTokenizer clip, T5Tokenizer t5, int t5Length) => (_clip, _t5, _t5Length) = (clip, t5, t5Length);

    public int ClipVocabulary => _clip.VocabularySize;

    public int ClipEndOfText => _clip.EndOfText;

    public int T5Vocabulary => _t5.VocabularySize;

    public static TinyTokens Load(string folder, int t5Length) =>
        new(ClipTokenizer.Load(Path.Combine(folder, "tokenizer")), T5Tokenizer.Load(Path.Combine(folder, "tokenizer_2")), t5Length);

    public (long[] T5, long[] Clip) Encode(string text) => (_t5.Encode(text, _t5Length), _clip.Encode(text, ClipLength));

    /// <summary>The empty prompt, each [1, tokens].</summary>
    public (Tensor T5, Tensor Clip) Empty(Device device)
    {
        (long[] t5, long[] clip) = Encode("");
        return (tensor(t5, [1, t5.Length], device: device), tensor(clip, [1, clip.Length], device: device));
    }
}
