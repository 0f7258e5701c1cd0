namespace Dsd.Models.Text;

/// <summary>Turns a prompt into the fixed number of token ids that a text encoder takes.</summary>
public interface ITextTokenizer
{
    /// <summary>The most tokens that the model takes, the closing one included.</summary>
    int MaxLength { get; }

    /// <summary>Ids lie in 0 … <see cref="VocabularySize"/> − 1: the encoder's embedding needs at least so many rows.</summary>
    int VocabularySize { get; }

    /// <summary>Encodes a prompt, cuts it to the length or pads it.</summary>
    /// <param name="text">The prompt, at most <see cref="PromptText.MaxCharacters"/> characters; it may be empty.</param>
    /// <param name="maxLength">Ids wanted, 2 to <see cref="MaxLength"/>.</param>
    /// <param name="truncated">Whether the prompt had more tokens than fit, so that its end was cut off.</param>
    /// <returns>Exactly <paramref name="maxLength"/> ids.</returns>
    /// <exception cref="ArgumentException">The prompt is too long to be looked at, or the length is out of range.</exception>
    long[] Encode(string text, int maxLength, out bool truncated);
}
