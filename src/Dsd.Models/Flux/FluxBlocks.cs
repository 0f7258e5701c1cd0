using Dsd.Models.Lora;
using Dsd.Models.Native;
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
        AdaptableLinear[] Row() => AdaptableLinear.Row(3, config.Width, config.Width, device, dtype);
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

    /// <summary>What image and text found in both, before their projections: image and text [batch, tokens, width] of the modulated streams.</summary>
    public (Tensor Image, Tensor Text) forward(Activation image, Activation text, Tensor rotary)
    {
        Tensor[] textQkv = AdaptableLinear.Together(text, TextIn); // [batch, text, width] each
        Tensor[] imageQkv = AdaptableLinear.Together(image, ImageIn); // [batch, image, width] each
        StreamHeads fromText = new(textQkv[0], textQkv[1], textQkv[2], norm_added_q, norm_added_k);
        StreamHeads fromImage = new(imageQkv[0], imageQkv[1], imageQkv[2], norm_q, norm_k);
        (Tensor q, Tensor k, Tensor v) = Heads.Place(_heads, rotary, fromText, fromImage); // [batch, tokens, heads, head]
        Tensor joined = Heads.Attend(q, k, v); // [batch, tokens, width]

        long words = text.Shape[1];
        return (joined.narrow(1, words, image.Shape[1]), joined.narrow(1, 0, words));
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
        AdaptableLinear[] row = AdaptableLinear.Row(3, config.Width, config.Width, device, dtype);
        (to_q, to_k, to_v) = (row[0], row[1], row[2]);
        norm_q = new RmsNorm(config.AttentionHeadDim, device, dtype);
        norm_k = new RmsNorm(config.AttentionHeadDim, device, dtype);
        RegisterComponents();
    }

    public AdaptableLinear[] In => [to_q, to_k, to_v];

    public Tensor forward(Activation x, Tensor rotary)
    {
        Tensor[] qkv = AdaptableLinear.Together(x, In); // [batch, tokens, width] each
        (Tensor q, Tensor k, Tensor v) = Heads.Place(_heads, rotary, new StreamHeads(qkv[0], qkv[1], qkv[2], norm_q, norm_k)); // [batch, tokens, heads, head]
        return Heads.Attend(q, k, v); // [batch, tokens, width]
    }
}

/// <summary>A block with separate image and text streams that meet in attention.</summary>
internal sealed class DoubleStreamBlock : Module
{
    private Modulation norm1;
    private Modulation norm1_context;
    private readonly JointAttention attn;
    private readonly FeedForward ff;
    private readonly FeedForward ff_context;

    public DoubleStreamBlock(FluxConfig config, Device? device, ScalarType dtype, bool modulationOnHost = false)
        : base(nameof(DoubleStreamBlock))
    {
        norm1 = new Modulation(config.Width, 6, device, dtype, modulationOnHost);
        norm1_context = new Modulation(config.Width, 6, device, dtype, modulationOnHost);
        attn = new JointAttention(config, device, dtype);
        ff = new FeedForward(config.Width, device, dtype);
        ff_context = new FeedForward(config.Width, device, dtype);
        RegisterComponents();
    }

    /// <summary>The linear layers that hold most of the weights; those of one array lie end to end.</summary>
    public AdaptableLinear[][] Large => [attn.ImageIn, attn.TextIn, [attn.ImageOut], [attn.TextOut], [ff.In], [ff.Out], [ff_context.In], [ff_context.Out]];

    /// <summary>What stays with a block when its weights pass through another one: modulations, which are computed once for all steps, and adapters.</summary>
    public void StandFor(DoubleStreamBlock other)
    {
        (norm1, norm1_context) = (other.norm1, other.norm1_context);
        AdaptableLinear.StandFor(Large, other.Large);
    }

    public (Tensor Image, Tensor Text) forward(Tensor image, Tensor text, FluxSteps steps, int step)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] imageMod = steps.Of(norm1, step); // shift, scale, gate of attention, then of the feed-forward network
        Tensor[] textMod = steps.Of(norm1_context, step);

        (Tensor imageAttended, Tensor textAttended) = attn.forward(
            Modulation.Apply(image, imageMod[0], imageMod[1], attn.ImageIn), Modulation.Apply(text, textMod[0], textMod[1], attn.TextIn), steps.Turns);
        image = steps.Add(image, norm1, part: 2, step, attn.ImageOut, imageAttended); // [batch, image, width]
        text = steps.Add(text, norm1_context, part: 2, step, attn.TextOut, textAttended); // [batch, text, width]

        image = steps.Add(image, norm1, part: 5, step, ff.Out, ff.In.Gelu(Modulation.Apply(image, imageMod[3], imageMod[4], ff.In)));
        text = steps.Add(text, norm1_context, part: 5, step, ff_context.Out, ff_context.In.Gelu(Modulation.Apply(text, textMod[3], textMod[4], ff_context.In)));
        if (text.dtype == ScalarType.Float16)
        {
            // The text stream of FLUX outgrows float16 in late blocks.
            text = text.clamp(-65504, 65504);
        }
        return (image.MoveToOuterDisposeScope(), text.MoveToOuterDisposeScope());
    }
}

/// <summary>A block over the joined stream, with attention and feed-forward network side by side.</summary>
internal sealed class SingleStreamBlock : Module
{
    private Modulation norm;
    private readonly AdaptableLinear proj_mlp;
    private readonly AdaptableLinear proj_out;
    private readonly SingleAttention attn;

    public SingleStreamBlock(FluxConfig config, Device? device, ScalarType dtype, bool modulationOnHost = false)
        : base(nameof(SingleStreamBlock))
    {
        norm = new Modulation(config.Width, 3, device, dtype, modulationOnHost);
        proj_mlp = new AdaptableLinear(config.Width, 4 * config.Width, device, dtype);
        proj_out = new AdaptableLinear(5 * config.Width, config.Width, device, dtype);
        attn = new SingleAttention(config, device, dtype);
        RegisterComponents();
    }

    /// <summary>The linear layers that hold most of the weights; those of one array lie end to end.</summary>
    public AdaptableLinear[][] Large => [attn.In, [proj_mlp], [proj_out]];

    /// <summary>What stays with a block when its weights pass through another one: modulations, which are computed once for all steps, and adapters.</summary>
    public void StandFor(SingleStreamBlock other)
    {
        norm = other.norm;
        AdaptableLinear.StandFor(Large, other.Large);
    }

    public Tensor forward(Tensor x, FluxSteps steps, int step)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] mod = steps.Of(norm, step); // shift, scale, gate
        Activation normed = Modulation.Apply(x, mod[0], mod[1], [.. attn.In, proj_mlp]);
        Tensor attended = attn.forward(normed, steps.Turns); // [batch, tokens, width]
        x = Out(x, normed, attended, mod[2], steps, step);
        if (x.dtype == ScalarType.Float16)
        {
            x = x.clamp(-65504, 65504);
        }
        return x.MoveToOuterDisposeScope();
    }

    // One product of attention and feed-forward side by side is faster than two, if the latter is written there at once.
    private Tensor Out(Tensor x, Activation normed, Tensor attended, Tensor gate, FluxSteps steps, int step)
    {
        (long batch, long tokens, long width) = (x.shape[0], x.shape[1], x.shape[2]);
        if (proj_out.TakesFloat8)
        {
            Float8Rows narrow = FluxKernels.ToFloat8(attended.flatten(0, 1), proj_mlp.Gelu(normed).flatten(0, 1)); // [batch · tokens, 5 · width]
            return steps.Add(x, norm, part: 2, step, proj_out, new Activation(narrow, batch, tokens, 5 * width));
        }
        if (proj_mlp.GeluAfter(width, normed) is { } both) // [batch · tokens, 5 · width]
        {
            both.narrow(1, 0, width).copy_(attended.flatten(0, 1));
            return Modulation.Add(x, gate, proj_out.forward(both.view(batch, tokens, 5 * width)));
        }
        return Modulation.Add(x, gate, proj_out.forward(attended, proj_mlp.Gelu(normed)));
    }
}
