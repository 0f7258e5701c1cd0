using Dsd.Tiny.World;

namespace Dsd.Lab.Tokenizers;

/// <summary>Makes both tokenizers of the embedded model from the world's captions.</summary>
internal static class TinyTokenizers
{
    /// <summary>The seed that the embedded model's tokenizers were made with.</summary>
    public const ulong Seed = 1;

    /// <summary>The number of captions that they are made from: every word of <see cref="Captions"/> occurs in them many times.</summary>
    public const int CorpusSize = 30_000;

    /// <summary>Writes <c>tokenizer</c> (CLIP-style) and <c>tokenizer_2</c> (T5-style) into a model folder.</summary>
    /// <param name="modelFolder">The pipeline's folder; created when missing.</param>
    /// <param name="seed">Fixes the captions.</param>
    /// <returns>The sizes of both vocabularies.</returns>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static (int Clip, int T5) Write(string modelFolder, ulong seed = Seed)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        string[] corpus = [.. Captions.Corpus(seed).Take(CorpusSize)];
        return (ClipTokenizerFiles.Write(Path.Combine(modelFolder, "tokenizer"), corpus),
            T5TokenizerFiles.Write(Path.Combine(modelFolder, "tokenizer_2"), corpus));
    }
}
