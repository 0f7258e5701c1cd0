using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using Dsd.Models.Residency;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Flux;

// Field names in this file are the checkpoint's keys. Dimension words: image and text are numbers of tokens of the two streams,
// tokens = text + image, width = heads · head.

/// <summary>Attention over both streams, each with projections of its own.</summary>
internal sealed class JointAttention : Module
{
    private readonly int _heads;
    private readonly AdaptableLinear to_q;
    private readonly AdaptableLinear to_k;
    private readonly AdaptableLinear to_v;
    private readonly ModuleList<AdaptableLinear> to_out;
    private readonly RmsNorm norm_q;
    private readonly RmsNorm norm_k;
    private readonly AdaptableLinear add_q_proj;
    private readonly AdaptableLinear add_k_proj;
    private readonly AdaptableLinear add_v_proj;
    private readonly AdaptableLinear to_add_out;
    private readonly RmsNorm norm_added_q;
    private readonly RmsNorm norm_added_k;

    public JointAttention(FluxConfig config, Device? device, ScalarType dtype)
        : base(nameof(JointAttention))
    {
        AdaptableLinear Linear() => new(config.Width, config.Width, device, dtype);
        RmsNorm Norm() => new(config.AttentionHeadDim, device, dtype);
        _heads = config.NumAttentionHeads;
        AdaptableLinear[] Row() => EndToEnd.New(3, config.Width, config.Width, device, dtype);
        AdaptableLinear[] image = Row();
        AdaptableLinear[] text = Row();
        (to_q, to_k, to_v, to_out) = (image[0], image[1], image[2], ModuleList(Linear()));
        (norm_q, norm_k) = (Norm(), Norm());
        (add_q_proj, add_k_proj, add_v_proj, to_add_out) = (text[0], text[1], text[2], Linear());
        (norm_added_q, norm_added_k) = (Norm(), Norm());
        RegisterComponents();
    }

    public AdaptableLinear[] ImageIn => [to_q, to_k, to_v];

    public AdaptableLinear[] TextIn => [add_q_proj, add_k_proj, add_v_proj];

    public AdaptableLinear ImageOut => to_out[0];

    public AdaptableLinear TextOut => to_add_out;

    public int HeadCount => _heads;

    public (RmsNorm Q, RmsNorm K) ImageNorms => (norm_q, norm_k);

    public (RmsNorm Q, RmsNorm K) TextNorms => (norm_added_q, norm_added_k);

    /// <summary>What image and text found in both, before their projections: image and text [batch, tokens, width] of the modulated streams.</summary>
    public (Tensor Image, Tensor Text) forward(Activation image, Activation text, Tensor rotary)
    {
        Tensor[] textQkv = FastLinear.Together(text, TextIn); // [batch, text, width] each
        Tensor[] imageQkv = FastLinear.Together(image, ImageIn); // [batch, image, width] each
        StreamHeads fromText = new(textQkv[0], textQkv[1], textQkv[2], norm_added_q, norm_added_k);
        StreamHeads fromImage = new(imageQkv[0], imageQkv[1], imageQkv[2], norm_q, norm_k);
        (Tensor q, Tensor k, Tensor v) = Heads.Place(_heads, rotary, fromText, fromImage); // [batch, tokens, heads, head]
        Tensor joined = Heads.Attend(q, k, v); // [batch, tokens, width]

        long textTokens = text.Shape[1];
        return (joined.narrow(1, textTokens, image.Shape[1]), joined.narrow(1, 0, textTokens));
    }
}

/// <summary>Attention over the joined stream; its output projection is the block's.</summary>
internal sealed class SingleAttention : Module
{
    private readonly int _heads;
    private readonly AdaptableLinear to_q;
    private readonly AdaptableLinear to_k;
    private readonly AdaptableLinear to_v;
    private readonly RmsNorm norm_q;
    private readonly RmsNorm norm_k;

    public SingleAttention(FluxConfig config, Device? device, ScalarType dtype)
        : base(nameof(SingleAttention))
    {
        _heads = config.NumAttentionHeads;
        AdaptableLinear[] row = EndToEnd.New(3, config.Width, config.Width, device, dtype);
        (to_q, to_k, to_v) = (row[0], row[1], row[2]);
        norm_q = new RmsNorm(config.AttentionHeadDim, device, dtype);
        norm_k = new RmsNorm(config.AttentionHeadDim, device, dtype);
        RegisterComponents();
    }

    public AdaptableLinear[] In => [to_q, to_k, to_v];

    public int HeadCount => _heads;

    public (RmsNorm Q, RmsNorm K) Norms => (norm_q, norm_k);

    public Tensor forward(Activation x, Tensor rotary)
    {
        Tensor[] qkv = FastLinear.Together(x, In); // [batch, tokens, width] each
        (Tensor q, Tensor k, Tensor v) = Heads.Place(_heads, rotary, new StreamHeads(qkv[0], qkv[1], qkv[2], norm_q, norm_k)); // [batch, tokens, heads, head]
        return Heads.Attend(q, k, v); // [batch, tokens, width]
    }
}

/// <summary>A block of the transformer.</summary>
internal abstract class FluxBlock(string name) : Module(name)
{
    /// <summary>The linear layers that hold most of the weights; those of one array lie end to end.</summary>
    public abstract AdaptableLinear[][] Large { get; }

    /// <summary>
    /// Called with the stream after each run, for losses on what lies within; with the image's of a block that has two. The tensor lives only during the
    /// call. Null, the default, for none.
    /// </summary>
    public Action<Tensor>? Shown { get; set; }

    /// <summary>Lets the linear layers take over what lies over another block's.</summary>
    protected void ShareAdaptersOf(FluxBlock other)
    {
        foreach ((AdaptableLinear layer, AdaptableLinear theirs) in Large.SelectMany(l => l).Zip(other.Large.SelectMany(l => l)))
        {
            layer.ShareAdaptersOf(theirs);
        }
    }
}

/// <summary>A block with separate image and text streams that meet in attention.</summary>
internal sealed class DoubleStreamBlock : FluxBlock
{
    private Modulation norm1;
    private Modulation norm1_context;
    private readonly JointAttention attn;
    private readonly FeedForward ff;
    private readonly FeedForward ff_context;

    public DoubleStreamBlock(FluxConfig config, WeightPlaces places, ScalarType dtype)
        : base(nameof(DoubleStreamBlock))
    {
        attn = new JointAttention(config, places.Blocks, dtype);
        ff = new FeedForward(config.Width, places.Blocks, dtype);
        ff_context = new FeedForward(config.Width, places.Blocks, dtype);
        norm1 = new Modulation(config.Width, 6, places.Modulations, dtype, places.IdleModulations) { Gated = [attn.ImageOut, ff.Out] };
        norm1_context = new Modulation(config.Width, 6, places.Modulations, dtype, places.IdleModulations) { Gated = [attn.TextOut, ff_context.Out] };
        RegisterComponents();
    }

    public override AdaptableLinear[][] Large =>
        [attn.ImageIn, attn.TextIn, [attn.ImageOut], [attn.TextOut], [ff.In], [ff.Out], [ff_context.In], [ff_context.Out]];

    public JointAttention Attention => attn;

    public FeedForward ImageFeedForward => ff;

    public FeedForward TextFeedForward => ff_context;

    /// <summary>Modulates the image stream: attention, then feed-forward network.</summary>
    public Modulation ImageModulation => norm1;

    /// <summary>Modulates the text stream, likewise.</summary>
    public Modulation TextModulation => norm1_context;

    /// <summary>What stays with a block when its weights pass through another one: modulations, which are computed once for all steps, and adapters.</summary>
    public void StandInFor(DoubleStreamBlock other)
    {
        (norm1, norm1_context) = (other.norm1, other.norm1_context);
        ShareAdaptersOf(other);
    }

    /// <summary>Both streams after the block.</summary>
    /// <param name="image">[batch, image, width].</param>
    /// <param name="text">[batch, text, width].</param>
    /// <param name="imageMod">What modulates the image stream: attention, then feed-forward network.</param>
    /// <param name="textMod">What modulates the text stream, likewise.</param>
    /// <param name="rotary">[tokens, 1, head / 2], complex.</param>
    public (Tensor Image, Tensor Text) forward(Tensor image, Tensor text, Modulated[] imageMod, Modulated[] textMod, Tensor rotary)
    {
        using DisposeScope scope = NewDisposeScope();

        (Tensor imageAttended, Tensor textAttended) = attn.forward(imageMod[0].Apply(image, attn.ImageIn), textMod[0].Apply(text, attn.TextIn), rotary);
        image = imageMod[0].Add(image, attn.ImageOut, imageAttended); // [batch, image, width]
        text = textMod[0].Add(text, attn.TextOut, textAttended); // [batch, text, width]

        image = imageMod[1].Add(image, ff.Out, FastLinear.Gelu(ff.In, imageMod[1].Apply(image, ff.In)));
        text = textMod[1].Add(text, ff_context.Out, FastLinear.Gelu(ff_context.In, textMod[1].Apply(text, ff_context.In)));
        if (text.dtype == ScalarType.Float16)
        {
            // The text stream of FLUX outgrows float16 in late blocks.
            text = text.Clamped(-65504, 65504);
        }
        Shown?.Invoke(image);
        return (image.MoveToOuterDisposeScope(), text.MoveToOuterDisposeScope());
    }
}

/// <summary>A block over the joined stream, with attention and feed-forward network side by side.</summary>
internal sealed class SingleStreamBlock : FluxBlock
{
    private Modulation norm;
    private readonly AdaptableLinear proj_mlp;
    private readonly AdaptableLinear proj_out;
    private readonly SingleAttention attn;

    public SingleStreamBlock(FluxConfig config, WeightPlaces places, ScalarType dtype)
        : base(nameof(SingleStreamBlock))
    {
        proj_mlp = new AdaptableLinear(config.Width, 4 * config.Width, places.Blocks, dtype);
        proj_out = new AdaptableLinear(5 * config.Width, config.Width, places.Blocks, dtype);
        attn = new SingleAttention(config, places.Blocks, dtype);
        norm = new Modulation(config.Width, 3, places.Modulations, dtype, places.IdleModulations) { Gated = [proj_out] };
        RegisterComponents();
    }

    public override AdaptableLinear[][] Large => [attn.In, [proj_mlp], [proj_out]];

    public SingleAttention Attention => attn;

    public AdaptableLinear MlpIn => proj_mlp;

    public AdaptableLinear Out => proj_out;

    /// <summary>Modulates the joined stream.</summary>
    public Modulation Modulation => norm;

    /// <summary>What stays with a block when its weights pass through another one: modulations, which are computed once for all steps, and adapters.</summary>
    public void StandInFor(SingleStreamBlock other)
    {
        norm = other.norm;
        ShareAdaptersOf(other);
    }

    /// <summary>The stream after the block.</summary>
    /// <param name="x">[batch, tokens, width].</param>
    /// <param name="mod">What modulates it: one element.</param>
    /// <param name="rotary">[tokens, 1, head / 2], complex.</param>
    public Tensor forward(Tensor x, Modulated[] mod, Tensor rotary)
    {
        using DisposeScope scope = NewDisposeScope();
        Activation normed = mod[0].Apply(x, [.. attn.In, proj_mlp]);
        Tensor attended = attn.forward(normed, rotary); // [batch, tokens, width]
        x = mod[0].Add(x, proj_out, SideBySide.Gelu(attended, proj_mlp, normed, next: proj_out)); // [batch, tokens, 5 · width] goes into proj_out
        if (x.dtype == ScalarType.Float16)
        {
            x = x.Clamped(-65504, 65504);
        }
        Shown?.Invoke(x);
        return x.MoveToOuterDisposeScope();
    }
}
