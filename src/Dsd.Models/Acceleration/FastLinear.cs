using Dsd.Models.Layers;
using Dsd.Models.Lora;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Acceleration;

/// <summary>
/// Linear layers in less time: through <see cref="MatrixProduct"/>, in eight bits, several in one product, with GELU in the product, or over channels in
/// two parts. Each gives what <see cref="AdaptableLinear.Formula"/> gives, but for rounding.
/// </summary>
internal static class FastLinear
{
    /// <summary>Whether a layer over x [..., inputs] can go through <see cref="MatrixProduct"/>.</summary>
    public static bool Suits(LinearWeights weights, Tensor x) => weights.Factors is not null || MatrixProduct.Suits(x.flatten(0, -2), weights.Weight);

    /// <summary>The layer over what may be in eight bits or in two parts: [..., outputs].</summary>
    public static Tensor Forward(AdaptableLinear layer, Activation x) =>
        layer.IsFloat8 ? Product(layer, layer.Own, x)
        : x.Beside is { } second ? OfTwoParts(layer, x.Wide, second)
        : layer.forward(x.Wide);

    /// <summary>GELU, in its tanh form, of what the layer gives.</summary>
    public static Tensor Gelu(AdaptableLinear layer, Activation x)
    {
        if (layer.IsFloat8)
        {
            return Product(layer, layer.Own, x, gelu: true);
        }
        LinearWeights weights = layer.WeightsFor(x.Wide.dtype, x.Wide.device);
        return Suits(weights, x.Wide) ? Product(layer, weights, x, gelu: true)
            : functional.gelu(layer.Formula(weights, x.Wide), TorchSharp.Modules.GELU.Approximate.tanh);
    }

    /// <summary>
    /// What each layer gives for x [batch, tokens, inputs]: by one matrix product where the weights lie end to end and nothing learns. A larger product
    /// uses a GPU better. The results then are parts of one tensor.
    /// </summary>
    public static Tensor[] Together(Activation x, params AdaptableLinear[] layers)
    {
        if (!FastPaths.Allow(FastPath.JoinedProjections) || is_grad_enabled() || !EndToEnd.Lie(layers))
        {
            return [.. layers.Select(l => Forward(l, x))];
        }
        long[] outputs = [.. layers.Select(l => l.Bias.shape[0])];
        LinearWeights all = EndToEnd.Joined(layers[0], outputs.Sum());
        Tensor y;
        if (all.Factors is not null || Suits(all, x.Wide))
        {
            y = Multiply(x, all, gelu: false, to: null, layers);
        }
        else if (layers.All(l => l.Adapters.Count == 0))
        {
            y = functional.linear(x.Wide.flatten(0, -2), all.Weight, all.Bias);
        }
        else
        {
            return [.. layers.Select(l => Forward(l, x))];
        }
        return y.view([.. x.Shape[..^1], y.shape[1]]).split(outputs, -1); // [batch, tokens, outputs] each
    }

    /// <summary>
    /// GELU of a layer's result as the last channels of a new tensor [rows, first + outputs], whose first channels the caller fills. Null where that would
    /// need a copy.
    /// </summary>
    public static Tensor? GeluAfter(long first, AdaptableLinear layer, Activation x)
    {
        (ScalarType type, Device device, long outputs) = (layer.Bias.dtype, layer.Bias.device, layer.Bias.shape[0]);
        LinearWeights weights = layer.WeightsFor(type, device);
        if (weights.Factors is null && !Suits(weights, x.Wide))
        {
            return null;
        }
        Tensor all = empty(x.Shape[..^1].Aggregate(1L, (a, b) => a * b), first + outputs, dtype: type, device: device);
        Multiply(x, weights, gelu: true, all.narrow(1, first, outputs), layer);
        return all;
    }

    /// <summary>The layer through <see cref="MatrixProduct"/>, which <see cref="Suits"/>: [..., outputs].</summary>
    public static Tensor Product(AdaptableLinear layer, LinearWeights weights, Activation x, bool gelu = false) =>
        Multiply(x, weights, gelu, to: null, layer).view([.. x.Shape[..^1], weights.Weight.shape[0]]);

    // Adapters come first, and the product with the layers' own weights is added to their sum: GELU then can be part of it.
    private static Tensor Multiply(Activation x, LinearWeights weights, bool gelu, Tensor? to, params ReadOnlySpan<AdaptableLinear> layers)
    {
        Tensor? sum = AdaptersOf(x, weights, to, layers);
        return weights.Factors is { } factors
            ? MatrixProduct.Linear8(x.Narrow, new Float8Rows(weights.Weight, factors), weights.Bias, gelu, to ?? sum, sum)
            : MatrixProduct.Linear(x.Wide.flatten(0, -2), weights.Weight, weights.Bias, gelu, to ?? sum, sum);
    }

    // What the adapters give, [rows, outputs of all layers]; null for none.
    private static Tensor? AdaptersOf(Activation x, LinearWeights weights, Tensor? to, ReadOnlySpan<AdaptableLinear> layers)
    {
        bool any = false;
        foreach (AdaptableLinear layer in layers)
        {
            any |= layer.Adapters.Count > 0;
        }
        if (!any)
        {
            return null;
        }
        Tensor rows = x.Wide.flatten(0, -2);
        Tensor sum = to ?? empty(rows.shape[0], weights.Bias.shape[0], dtype: rows.dtype, device: rows.device);
        long start = 0;
        foreach (AdaptableLinear layer in layers)
        {
            Tensor part = sum.narrow(1, start, layer.Bias.shape[0]);
            start += layer.Bias.shape[0];
            // The product with the factors of the first adapter overwrites what is there. Adapters of other kinds can only add.
            if (layer.Adapters.Count == 0 || layer.Adapters[0] is not LoraPair)
            {
                part.zero_();
            }
            for (int i = 0; i < layer.Adapters.Count; i++)
            {
                if (layer.Adapters[i] is LoraPair pair)
                {
                    MatrixProduct.Linear(pair.Down(rows).Times(pair.Scale), pair.B.to(rows.dtype), bias: null, to: part, add: i > 0 ? part : null);
                }
                else
                {
                    part.copy_(layer.Adapters[i].AddTo(part, rows));
                }
            }
        }
        return sum;
    }

    // The layer over both inputs [batch, tokens, …] side by side, without joining them.
    private static Tensor OfTwoParts(AdaptableLinear layer, Tensor first, Tensor second)
    {
        LinearWeights weights = layer.WeightsFor(first.dtype, first.device);
        Tensor[] parts = weights.Weight.split([first.shape[^1], second.shape[^1]], 1);
        (Tensor rows, Tensor others) = (first.flatten(0, -2), second.flatten(0, -2));
        Tensor y = functional.linear(rows, parts[0], weights.Bias).addmm_(others, parts[1].t(), 1, 1);
        for (int i = 0; i < layer.Adapters.Count; i++)
        {
            y = layer.Adapters[i].AddTo(y, rows, others);
        }
        return y.view([.. first.shape[..^1], y.shape[^1]]);
    }
}
