using Dsd.Models.Acceleration;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

/// <summary>Attention of heads that lie side by side in each token, as linear layers make and take them: no copy is needed before or after.</summary>
internal static class Heads
{
    /// <summary>[batch, tokens, heads, head] of [batch, tokens, width].</summary>
    public static Tensor Split(Tensor x, int heads) => x.unflatten(2, heads, x.shape[2] / heads);

    /// <summary>
    /// Queries, keys and values of all tokens, each [batch, tokens, heads, head], of streams that follow one another: queries and keys normalised and rotated.
    /// Those of a single stream may be changed in place.
    /// </summary>
    public static (Tensor Q, Tensor K, Tensor V) Place(int heads, Tensor rotary, params ReadOnlySpan<StreamHeads> streams)
    {
        if (streams.Length == 1 && SuitKernels(streams[0].Q, heads))
        {
            // A stream alone has its tokens in their places: nothing has to move.
            StreamHeads only = streams[0];
            BlockKernels.Rotate(only.Q, only.K, (only.NormQ.Weight, only.NormK.Weight, RmsNorm.Epsilon), rotary, heads);
            return (Split(only.Q, heads), Split(only.K, heads), Split(only.V, heads));
        }
        return PlaceApart(heads, rotary, streams);
    }

    /// <summary>The same as new tensors.</summary>
    public static (Tensor Q, Tensor K, Tensor V) PlaceApart(int heads, Tensor rotary, params ReadOnlySpan<StreamHeads> streams)
    {
        Tensor like = streams[0].Q;
        if (SuitKernels(like, heads))
        {
            long tokens = rotary.shape[0];
            Tensor Room() => empty([like.shape[0], tokens, heads, like.shape[2] / heads], like.dtype, like.device);
            (Tensor Q, Tensor K, Tensor V) room = (Room(), Room(), Room());
            long first = 0;
            foreach (StreamHeads stream in streams)
            {
                BlockKernels.Place(stream.Q, stream.K, stream.V, (stream.NormQ.Weight, stream.NormK.Weight, RmsNorm.Epsilon), rotary, room, first);
                first += stream.Q.shape[1];
            }
            return room;
        }
        List<Tensor> q = [], k = [], v = [];
        foreach (StreamHeads stream in streams)
        {
            q.Add(stream.NormQ.forward(Split(stream.Q, heads)));
            k.Add(stream.NormK.forward(Split(stream.K, heads)));
            v.Add(Split(stream.V, heads));
        }
        return (RotaryEmbedding.Apply(Joined(q), rotary), RotaryEmbedding.Apply(Joined(k), rotary), Joined(v));

        static Tensor Joined(List<Tensor> parts) => parts.Count == 1 ? parts[0] : cat(parts, dim: 1);
    }

    /// <summary>Whether the kernels take a stream's queries, keys and values [batch, tokens, width].</summary>
    public static bool SuitKernels(Tensor q, int heads) => BlockKernels.Suit(q) && BlockKernels.SuitHeads(q.shape[2] / heads);

    /// <summary>Attention over all tokens of q, k and v [batch, tokens, heads, head]: [batch, tokens, width].</summary>
    /// <remarks>
    /// On CUDA, PyTorch may leave attention to cuDNN, whose plan for the backward pass it keeps by the sizes and strides of q, k and v alone (2.11,
    /// MHA.cpp). So the gradient of the result must lie in memory in the same way in every block. It does where linear layers take the result, but
    /// not where it is joined with other channels: the gradient would then be a slice of theirs.
    /// </remarks>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v) =>
        functional.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)).transpose(1, 2).flatten(2, 3);
}

/// <summary>What a stream's linear layers gave for attention, [batch, tokens, width] each, and the norms that its queries and keys take.</summary>
internal readonly record struct StreamHeads(Tensor Q, Tensor K, Tensor V, RmsNorm NormQ, RmsNorm NormK);
