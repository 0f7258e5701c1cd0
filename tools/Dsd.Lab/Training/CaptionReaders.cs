using Dsd.Models.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Lab.Training;

/// <summary>One linear head for each attribute, over a vector for each: all heads are one product.</summary>
internal sealed class AttributeHeads : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    public AttributeHeads(int attributes, int width, int answers, Device device, ScalarType type)
        : base(nameof(AttributeHeads))
    {
        weight = Parameter(randn(attributes, width, answers, dtype: type, device: device).Over(Math.Sqrt(width)));
        bias = Parameter(zeros(attributes, 1, answers, dtype: type, device: device));
        weight.DetachFromDisposeScope();
        bias.DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>Logits [attributes, batch, answers] in float32 of vectors [attributes, batch, width].</summary>
    public override Tensor forward(Tensor x) => x.bmm(weight).Plus(bias).to(ScalarType.Float32);
}

/// <summary>Reads CLIP's pooled vector.</summary>
internal sealed class PooledReader : Module<Tensor, Tensor>
{
    private readonly AttributeHeads heads;
    private readonly int _attributes;

    public PooledReader(int attributes, int width, int answers, Device device, ScalarType type)
        : base(nameof(PooledReader))
    {
        _attributes = attributes;
        heads = new AttributeHeads(attributes, width, answers, device, type);
        RegisterComponents();
    }

    /// <summary>Logits [attributes, batch, answers] of pooled vectors [batch, width].</summary>
    public override Tensor forward(Tensor pooled) => heads.forward(pooled.unsqueeze(0).expand(_attributes, -1, -1));
}

/// <summary>Reads T5's last hidden states: each attribute looks for its words with a query of its own.</summary>
internal sealed class TokenReader : Module<Tensor, Tensor>
{
    private readonly Parameter queries;
    private readonly AttributeHeads heads;

    public TokenReader(int attributes, int width, int answers, Device device, ScalarType type)
        : base(nameof(TokenReader))
    {
        queries = Parameter(randn(attributes, width, dtype: type, device: device).Over(Math.Sqrt(width)));
        queries.DetachFromDisposeScope();
        heads = new AttributeHeads(attributes, width, answers, device, type);
        RegisterComponents();
    }

    /// <summary>Logits [attributes, batch, answers] of hidden states [batch, tokens, width].</summary>
    public override Tensor forward(Tensor hidden)
    {
        Tensor weights = functional.linear(hidden, queries).softmax(1); // [batch, tokens, attributes]
        Tensor read = weights.transpose(1, 2).matmul(hidden); // [batch, attributes, width]
        return heads.forward(read.transpose(0, 1));
    }
}
