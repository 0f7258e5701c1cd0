using Dsd.Models.Layers;
using Dsd.Models.Lora;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Text;

/// <summary>A table of vectors, looked up by id.</summary>
internal sealed class EmbeddingTable : Module<Tensor, Tensor>
{
    private readonly Parameter weight;

    public EmbeddingTable(long rows, long channels, Device? device, ScalarType dtype)
        : base(nameof(EmbeddingTable))
    {
        weight = Parameter(empty(rows, channels, dtype: dtype, device: device));
        RegisterComponents();
    }

    /// <summary>[rows, channels].</summary>
    public Parameter Weight => weight;

    /// <summary>Ids of any shape, to vectors in a last dimension of their own.</summary>
    public override Tensor forward(Tensor ids) =>
        weight.index_select(0, ids.flatten()).view([.. ids.shape, weight.shape[1]]);
}

/// <summary>A linear layer, with a bias or without, whose weights are whatever the memory held until they are loaded or drawn.</summary>
internal sealed class TextLinear : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter? bias;

    public TextLinear(long inputs, long outputs, Device? device, ScalarType dtype, bool hasBias = true)
        : base(nameof(TextLinear))
    {
        weight = Parameter(empty(outputs, inputs, dtype: dtype, device: device));
        bias = hasBias ? Parameter(empty(outputs, dtype: dtype, device: device)) : null;
        RegisterComponents();
    }

    /// <summary>[outputs, inputs].</summary>
    public Parameter Weight => weight;

    /// <summary>[outputs].</summary>
    public Parameter? Bias => bias;

    /// <summary>The adapters over this layer. They belong to whoever laid them there, not to the layer.</summary>
    public IList<LoraPair> Adapters { get; } = [];

    public override Tensor forward(Tensor x)
    {
        Tensor y = functional.linear(x, weight, bias); // [batch, tokens, outputs]
        foreach (LoraPair pair in Adapters)
        {
            // The encoder may have been brought to another device since.
            Tensor low = functional.linear(x, pair.A.to(x.dtype, x.device)); // [batch, tokens, rank]
            y = y.Plus(functional.linear(low, pair.B.to(x.dtype, x.device)).Times(pair.Scale));
        }
        return y;
    }
}

/// <summary>What both text encoders share: heads, checks of ids, random weights.</summary>
internal static class TextLayers
{
    /// <summary>[batch, tokens, heads · head] to [batch, heads, tokens, head].</summary>
    public static Tensor Split(Tensor x, long heads) => x.unflatten(2, heads, x.shape[2] / heads).transpose(1, 2);

    /// <summary>[batch, heads, tokens, head] to [batch, tokens, heads · head].</summary>
    public static Tensor Join(Tensor x) => x.transpose(1, 2).flatten(2, 3);

    public static void CheckIds(Tensor ids, int vocabulary, int longest)
    {
        if (ids.dim() != 2 || ids.dtype != ScalarType.Int64 || ids.shape[0] < 1 || ids.shape[1] < 1 || ids.shape[1] > longest)
        {
            throw new ArgumentException(
                $"Input ids must be [batch, 1 to {longest} tokens] of int64, but is [{string.Join(", ", ids.shape)}] of {ids.dtype}.", nameof(ids));
        }
        using Tensor least = ids.min();
        using Tensor most = ids.max();
        if (least.item<long>() < 0 || most.item<long>() >= vocabulary)
        {
            throw new ArgumentException(
                $"Input ids must lie between 0 and {vocabulary - 1}, but reach from {least.item<long>()} to {most.item<long>()}: "
                    + "does the tokenizer belong to this encoder?",
                nameof(ids));
        }
    }

    public static void Normal(Parameter weight, double deviation, Generator generator)
    {
        using DisposeScope scope = NewDisposeScope();
        using var _ = no_grad();
        weight.copy_(randn(weight.shape, generator: generator).Times(deviation));
    }

    public static void Normal(TextLinear linear, double deviation, Generator generator)
    {
        using var _ = no_grad();
        Normal(linear.Weight, deviation, generator);
        linear.Bias?.zero_();
    }
}
