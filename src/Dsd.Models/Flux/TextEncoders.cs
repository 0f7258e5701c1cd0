using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>Both tokenizers and both text encoders of FLUX. Owns the encoders.</summary>
public sealed class TextEncoders : IDisposable
{
    private readonly ClipTokenizer _clipTokenizer;
    private readonly T5Tokenizer _t5Tokenizer;
    private readonly IdleModule _clip;

    /// <summary>Puts tokenizers and encoders together.</summary>
    /// <exception cref="ArgumentException">A tokenizer has more tokens than its encoder, or CLIP's gives more tokens than its encoder takes.</exception>
    public TextEncoders(ClipTokenizer clipTokenizer, ClipTextModel clip, T5Tokenizer t5Tokenizer, T5Encoder t5)
        : this(clipTokenizer, clip, t5Tokenizer, t5, clipDevice: null)
    {
    }

    private TextEncoders(ClipTokenizer clipTokenizer, ClipTextModel clip, T5Tokenizer t5Tokenizer, T5Encoder t5, Device? clipDevice)
    {
        ArgumentNullException.ThrowIfNull(clipTokenizer);
        ArgumentNullException.ThrowIfNull(clip);
        ArgumentNullException.ThrowIfNull(t5Tokenizer);
        ArgumentNullException.ThrowIfNull(t5);
        NotMore("CLIP's tokenizer has {0} tokens, but its text encoder's vocab_size is {1}.", clipTokenizer.VocabularySize, clip.Config.VocabSize);
        NotMore("T5's tokenizer has {0} tokens, but its encoder's vocab_size is {1}.", t5Tokenizer.VocabularySize, t5.Config.VocabSize);
        NotMore(
            "CLIP's tokenizer gives {0} tokens, but its text encoder's max_position_embeddings is {1}.", clipTokenizer.MaxLength,
            clip.Config.MaxPositionEmbeddings);
        (_clipTokenizer, Clip, _t5Tokenizer, T5) = (clipTokenizer, clip, t5Tokenizer, t5);
        _clip = new IdleModule(clip, clipDevice);
    }

    /// <summary>CLIP's text encoder.</summary>
    public ClipTextModel Clip { get; }

    /// <summary>T5's encoder.</summary>
    public T5Encoder T5 { get; }

    /// <summary>T5 tokens that a prompt gets where nobody says otherwise: what the tokenizer's config says.</summary>
    public int DefaultTextTokens => _t5Tokenizer.MaxLength;

    /// <summary>Loads the four parts from a pipeline's folder.</summary>
    /// <exception cref="WeightsException">A file is missing or wrong, or they contradict each other.</exception>
    public static TextEncoders Load(ModelFolder folder, PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        ClipTokenizer clipTokenizer = ClipTokenizer.Load(folder.ComponentFolder("tokenizer"));
        T5Tokenizer t5Tokenizer = T5Tokenizer.Load(folder.ComponentFolder("tokenizer_2"));
        ClipTextModel? clip = null;
        T5Encoder? t5 = null;
        bool idle = options.EncodersWait;
        try
        {
            clip = WeightLoader.Kept(ClipTextModel.Load(folder.ComponentFolder("text_encoder"), idle ? CPU : options.Device, options.DType));
            t5 = WeightLoader.Kept(T5Encoder.Load(folder.ComponentFolder("text_encoder_2"), options.Device, options.WideType, idle));
            return new TextEncoders(clipTokenizer, clip, t5Tokenizer, t5, idle ? options.Device : null);
        }
        catch (Exception e)
        {
            clip?.Dispose();
            t5?.Dispose();
            throw e is ArgumentException ? new WeightsException(folder.Path, $"'{folder.Path}': {e.Message}", e) : e;
        }
    }

    /// <summary>Encodes prompts.</summary>
    /// <param name="prompts">At least one; each may be empty.</param>
    /// <param name="maxTokens">T5 tokens that each is padded or cut to; null is <see cref="DefaultTextTokens"/>.</param>
    /// <param name="warn">Called with a warning for each prompt that was cut off.</param>
    /// <exception cref="ArgumentException">There is no prompt, one is longer than tokenizers look at, or the tokens are more than T5's tokenizer
    /// gives.</exception>
    public TextEmbedding Encode(IReadOnlyList<string> prompts, int? maxTokens = null, Action<string>? warn = null)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        if (prompts.Count == 0)
        {
            throw new ArgumentException("At least one prompt is needed, but there is none.", nameof(prompts));
        }
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor clipIds = Ids(prompts, _clipTokenizer, _clipTokenizer.MaxLength, "CLIP", warn);
        Tensor t5Ids = Ids(prompts, _t5Tokenizer, maxTokens ?? DefaultTextTokens, "T5", warn).to(T5.Device);
        Tensor pooled; // [batch, channels]
        using (_clip.Visit())
        {
            pooled = Clip.forward(clipIds.to(Clip.Device)).Pooled;
        }
        Tensor text = T5.forward(t5Ids); // [batch, tokens, channels]
        return new TextEmbedding(text.MoveToOuterDisposeScope(), pooled.MoveToOuterDisposeScope());
    }

    /// <summary>Frees the encoders.</summary>
    public void Dispose()
    {
        Clip.Dispose();
        T5.Dispose();
    }

    private static Tensor Ids(IReadOnlyList<string> prompts, ITextTokenizer tokenizer, int length, string encoder, Action<string>? warn)
    {
        List<long> ids = [];
        for (int i = 0; i < prompts.Count; i++)
        {
            ids.AddRange(tokenizer.Encode(prompts[i], length, out bool truncated));
            if (truncated)
            {
                warn?.Invoke($"Prompt {i} has more than the {length} tokens that {encoder} takes: its end was cut off for {encoder}.");
            }
        }
        return tensor(ids.ToArray(), [prompts.Count, length]);
    }

    private static void NotMore(string message, int given, int most)
    {
        if (given > most)
        {
            throw new ArgumentException(string.Format(null, message, given, most));
        }
    }
}
