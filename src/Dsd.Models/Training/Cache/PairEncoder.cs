using Dsd.Imaging;
using Dsd.Models.Families;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Cache;

/// <summary>The pass over the pairs before training: encodes what the store has not, and keeps of each pair the keys alone.</summary>
internal sealed class PairEncoder
{
    private const int LeastSide = 16;
    private readonly DiffusionModel _model;
    private readonly LoraTrainingOptions _options;
    private readonly AspectBuckets _buckets;
    private readonly ExampleStore _store;
    private readonly CacheKeys _keys;
    private readonly int _pairsAtOnce;
    private readonly int _entriesAtOnce;
    private readonly HashSet<CacheKey> _waiting = [];
    private readonly List<(CacheKey Key, int Bucket, Picture Canvas)> _canvases = [];
    private readonly List<(CacheKey Key, int Bucket, Picture Canvas)> _conditions = [];
    private readonly List<(CacheKey Key, string Text)> _prompts = [];
    private readonly CacheKey _emptyKey;
    private long[][]? _promptShapes;

    /// <summary>An encoder, which makes the empty prompt's entry at once.</summary>
    public PairEncoder(DiffusionModel model, LoraTrainingOptions options, AspectBuckets buckets, ExampleStore store)
    {
        (_model, _options, _buckets, _store) = (model, options, buckets, store);
        _keys = new CacheKeys(model, options.MaxTextTokens);
        // As many pairs as have the pixels of four canvases of 512 × 1024, at least one: the encoder's memory grows with them.
        _pairsAtOnce = (int)Math.Max(1, 4 * 512L * 1024 / buckets.MostPixels);
        // Sums of a batch differ in their last bits with its size. On the CPU, where a run that goes on must give the same bits, an entry that is kept
        // must not depend on which others were missing with it; on a GPU batches are faster, and an entry is the same but for rounding.
        _entriesAtOnce = options.CacheFolder is not null && model.Network.Device.type == DeviceType.CPU ? 1 : int.MaxValue;
        _emptyKey = _keys.Prompt("");
        if (!_store.Has(_emptyKey, null))
        {
            EncodePrompts([(_emptyKey, "")]);
        }
    }

    /// <summary>What the empty prompt says to the network, in the current dispose scope.</summary>
    public PromptEmbedding Empty()
    {
        using DisposeScope scope = NewDisposeScope();
        return new PromptEmbedding([.. _store.Read(_emptyKey)().Select(part => Copy(part).MoveToOuterDisposeScope())]);

        // What lies in memory is the store's.
        Tensor Copy(Tensor part) => part.to(_model.Network.Device, copy: true);
    }

    /// <summary>Goes through the pairs once.</summary>
    /// <exception cref="ArgumentException">A picture is too small.</exception>
    /// <exception cref="PictureException">A file's bytes are no picture.</exception>
    /// <exception cref="IOException">An entry cannot be written.</exception>
    public ExampleTable Encode(IEnumerable<PairContent> pairs, CancellationToken cancellationToken)
    {
        using (DisposeScope scope = NewDisposeScope())
        {
            _promptShapes = [.. _store.Read(_emptyKey)().Select(part => part.shape)];
        }
        ExampleTable examples = new();
        foreach (PairContent pair in pairs)
        {
            Require(pair.Reference, "reference", pair.Source, examples.Count);
            Require(pair.Target, "target", pair.Source, examples.Count);
            examples.Add(Add(pair));
            if (examples.Count % _pairsAtOnce == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Flush();
            }
        }
        cancellationToken.ThrowIfCancellationRequested();
        Flush();
        return examples;
    }

    private static void Require(PictureContent picture, string role, string? source, int pair)
    {
        if (picture.Width < LeastSide || picture.Height < LeastSide)
        {
            throw new ArgumentException(
                $"{source ?? $"Pair {pair}, counted from 0"}: its {role} is {picture.Width} × {picture.Height} pixels, "
                    + $"and a picture to train on needs at least {LeastSide} a side. Leave the pair out.",
                nameof(pair));
        }
    }

    private ExampleKeys Add(PairContent pair)
    {
        int bucket = _buckets.Of(pair.Target.Width, pair.Target.Height);
        (var frames, var canvas) = (_buckets.All[bucket].Frames, _buckets.All[bucket].Canvas);
        long[][] shapes = [[1, canvas.Tokens, canvas.TokenChannels]];
        ExampleKeys keys = new(
            _keys.Canvas(frames, pair.Reference.Hash, pair.Target.Hash), _keys.Canvas(frames, pair.Reference.Hash), _keys.Prompt(pair.Prompt), bucket);
        // Composed at once, so that large pictures do not wait in memory.
        if (IsNew(keys.Latents, shapes))
        {
            _canvases.Add((keys.Latents, bucket, frames.Compose(pair.Reference.Decoded.Value, pair.Target.Decoded.Value)));
        }
        if (IsNew(keys.Condition, shapes))
        {
            _conditions.Add((keys.Condition, bucket, frames.Compose(pair.Reference.Decoded.Value)));
        }
        if (IsNew(keys.Prompt, _promptShapes))
        {
            _prompts.Add((keys.Prompt, pair.Prompt));
        }
        return keys;
    }

    private bool IsNew(CacheKey key, long[][]? shapes) => !_waiting.Contains(key) && !_store.Has(key, shapes) && _waiting.Add(key);

    private void Flush()
    {
        foreach (IGrouping<int, (CacheKey Key, int Bucket, Picture Canvas)> group in _canvases.GroupBy(c => c.Bucket)
            .Concat(_conditions.GroupBy(c => c.Bucket)))
        {
            foreach ((CacheKey Key, int Bucket, Picture Canvas)[] some in group.Chunk(_entriesAtOnce))
            {
                using DisposeScope scope = NewDisposeScope();
                using IDisposable noGrad = no_grad();
                Tensor latents = _model.Encode([.. some.Select(c => c.Canvas)], _buckets.All[group.Key].Canvas); // [canvases, tokens, channels]
                for (int i = 0; i < some.Length; i++)
                {
                    _store.Add(some[i].Key, [Row(latents, i)]);
                }
            }
        }
        foreach ((CacheKey Key, string Text)[] some in _prompts.Chunk(_entriesAtOnce))
        {
            EncodePrompts(some);
        }
        _canvases.Clear();
        _conditions.Clear();
        _prompts.Clear();
        _waiting.Clear();
    }

    private void EncodePrompts((CacheKey Key, string Text)[] prompts)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        PromptEmbedding embedding = _model.EncodePrompts([.. prompts.Select(p => p.Text)], _options.MaxTextTokens, _model.Warn);
        for (int i = 0; i < prompts.Length; i++)
        {
            _store.Add(prompts[i].Key, [.. embedding.Parts.Select(part => Row(part, i))]);
        }
    }

    // A copy, since a view would keep the whole batch.
    private static Tensor Row(Tensor batch, long row) => batch.narrow(0, row, 1).clone();
}
