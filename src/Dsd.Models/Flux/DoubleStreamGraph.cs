using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>
/// A pass of a <see cref="DoubleStreamBlock"/> that keeps what the way back needs, and the way back. It computes what the block's own forward
/// does: a test holds the two together.
/// </summary>
/// <param name="block">The block.</param>
/// <param name="imageMod">What modulates the image stream, without gradients: attention, then feed-forward network.</param>
/// <param name="textMod">What modulates the text stream, likewise.</param>
/// <param name="rotary">[tokens, 1, head / 2], complex.</param>
internal sealed class DoubleStreamGraph(DoubleStreamBlock block, Modulated[] imageMod, Modulated[] textMod, Tensor rotary) : IDisposable
{
    private readonly Stream _image = new(block.Attention.ImageIn, block.Attention.ImageOut, block.ImageFeedForward, imageMod);
    private readonly Stream _text = new(block.Attention.TextIn, block.Attention.TextOut, block.TextFeedForward, textMod);
    private readonly AttentionGraph _attention = new(block.Attention.HeadCount, rotary, block.Attention.TextNorms, block.Attention.ImageNorms);

    /// <summary>
    /// Both streams after the block, [batch, tokens of the stream, width] before it. Null where they are not wanted: the last products then are left out.
    /// </summary>
    public (Tensor Image, Tensor Text)? Forward(Tensor image, Tensor text, bool wanted = true)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor found = _attention.Forward(_text.Enter(text), _image.Enter(image)).detach(); // [batch, tokens, width]
        _image.Attended(found.narrow(1, text.shape[1], image.shape[1]));
        _text.Attended(found.narrow(1, 0, text.shape[1]));
        return wanted ? (_image.Leave().MoveToOuterDisposeScope(), _text.Leave().MoveToOuterDisposeScope()) : null;
    }

    /// <summary>Adds to the gradients of the adapters, and gives those of both streams.</summary>
    /// <param name="image">Of the image stream after the block: [batch, image, width].</param>
    /// <param name="text">Of the text stream: [batch, text, width].</param>
    public (Tensor Image, Tensor Text) Backward(Tensor image, Tensor text)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor found = _attention.Found.detach();
        Tensor ofImage = _image.BackToAttention(image, found.narrow(1, text.shape[1], image.shape[1]));
        Tensor ofText = _text.BackToAttention(text, found.narrow(1, 0, text.shape[1]));
        Tensor[] ofStreams = _attention.Backward(cat([ofText, ofImage], dim: 1)); // [batch, tokens of the stream, 3 · width] each
        return (_image.BackToStart(ofStreams[1]).MoveToOuterDisposeScope(), _text.BackToStart(ofStreams[0]).MoveToOuterDisposeScope());
    }

    /// <summary>Frees what was kept.</summary>
    public void Dispose()
    {
        _image.Dispose();
        _text.Dispose();
        _attention.Dispose();
    }

    /// <summary>One stream of the block, before and after attention.</summary>
    private sealed class Stream(AdaptableLinear[] qkv, AdaptableLinear after, FeedForward feedForward, Modulated[] mod) : IDisposable
    {
        private readonly LinearGraph _in = new(qkv);
        private readonly LinearGraph _out = new(after);
        private readonly LinearGraph _inner = new(feedForward.In);
        private readonly LinearGraph _outer = new(feedForward.Out);
        private readonly List<Tensor> _kept = [];
        private Tensor? _gradient;

        // [batch, tokens, width] before attention and after it, then [rows, 4 · width].
        private (Tensor Before, Tensor Between, Tensor Hidden) Kept => (_kept[0], _kept[1], _kept[2]);

        /// <summary>Queries, keys and values of x [batch, tokens, width], side by side: [batch, tokens, 3 · width].</summary>
        public Tensor Enter(Tensor x)
        {
            _kept.Add(x.alias().DetachFromDisposeScope());
            return _in.Forward(Normed(x, mod[0])).view([.. x.shape[..2], -1]);
        }

        /// <summary>Takes what the stream found: [batch, tokens, width].</summary>
        public void Attended(Tensor found)
        {
            Tensor x = mod[0].Add(_kept[0], _out.Forward(found.flatten(0, 1)).view(found.shape));
            _kept.Add(x.DetachFromDisposeScope());
            _kept.Add(_inner.Forward(Normed(x, mod[1])).DetachFromDisposeScope());
        }

        /// <summary>The stream after the block.</summary>
        public Tensor Leave() => mod[1].Add(Kept.Between, _outer.Forward(Gelu.Of(Kept.Hidden)).view(Kept.Between.shape));

        /// <summary>The gradient of what the stream found, for that of the stream after the block.</summary>
        public Tensor BackToAttention(Tensor gradient, Tensor found)
        {
            (_, Tensor between, Tensor hidden) = Kept;
            Tensor ofHidden = Gelu.Gradient(hidden, _outer.Backward(Gelu.Of(hidden), Gated(gradient, mod[1])));
            _gradient = Back(between, mod[1], _inner, ofHidden, gradient);
            return _out.Backward(found.flatten(0, 1), Gated(_gradient, mod[0])).view(between.shape);
        }

        /// <summary>The gradient of the stream before the block, for that of its queries, keys and values.</summary>
        public Tensor BackToStart(Tensor ofQkv) => Back(Kept.Before, mod[0], _in, ofQkv.flatten(0, 1), _gradient!);

        public void Dispose()
        {
            foreach (IDisposable part in _kept.Concat(new IDisposable[] { _in, _out, _inner, _outer }))
            {
                part.Dispose();
            }
        }

        private static Tensor Normed(Tensor x, Modulated mod) => Modulation.Apply(x, mod.Shift, mod.Scale).flatten(0, 1); // [rows, width]

        private static Tensor Gated(Tensor gradient, Modulated mod) => (mod.Gate * gradient).flatten(0, 1);

        // Through a modulation and the layer behind it. What was normed is computed once more: cheaper than to keep it.
        private static Tensor Back(Tensor x, Modulated mod, LinearGraph layer, Tensor gradient, Tensor beside) =>
            Modulation.Gradient(x, mod.Shift, mod.Scale, layer.Backward(Normed(x, mod), gradient).view(x.shape), beside);
    }
}
