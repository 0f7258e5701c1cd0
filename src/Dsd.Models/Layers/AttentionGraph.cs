using Dsd.Models.Acceleration;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Layers;

/// <summary>Attention over streams that follow one another, from their queries, keys and values on: a pass, and the way back.</summary>
/// <param name="heads">How many heads there are.</param>
/// <param name="rotary">[tokens, 1, head / 2], complex.</param>
/// <param name="norms">Of queries and keys, for each stream.</param>
internal sealed class AttentionGraph(int heads, Tensor rotary, params (RmsNorm Q, RmsNorm K)[] norms) : IDisposable
{
    private readonly List<Tensor> _streams = [];
    private readonly List<Tensor> _leaves = [];
    private Tensor? _found;

    /// <summary>What all tokens found: [batch, tokens, width]. It stays this object's.</summary>
    public Tensor Found => _found ?? throw new InvalidOperationException("There was no pass.");

    /// <summary>A pass.</summary>
    /// <param name="streams">Queries, keys and values side by side: [batch, tokens of the stream, 3 · width] each.</param>
    /// <returns><see cref="Found"/>.</returns>
    public Tensor Forward(params Tensor[] streams)
    {
        using DisposeScope scope = NewDisposeScope();
        _streams.AddRange(streams.Select(s => s.alias().DetachFromDisposeScope()));
        (Tensor q, Tensor k, Tensor v) = Heads.PlaceApart(heads, rotary, [.. _streams.Select((s, i) => Parts(s, i))]); // [batch, tokens, heads, head]
        _leaves.AddRange(new[] { q, k, v }.Select(t => t.detach().requires_grad_(true).DetachFromDisposeScope()));
        using IDisposable grad = enable_grad();
        _found = Heads.Attend(_leaves[0], _leaves[1], _leaves[2]).DetachFromDisposeScope();
        return Found;
    }

    /// <summary>The way back.</summary>
    /// <param name="gradient">Of what was found: [batch, tokens, width]. It must lie in one piece: see <see cref="Heads.Attend"/>.</param>
    /// <returns>The gradient of each stream: [batch, tokens of the stream, 3 · width].</returns>
    public Tensor[] Backward(Tensor gradient)
    {
        using DisposeScope scope = NewDisposeScope();
        using (enable_grad())
        {
            autograd.backward([Found], [gradient]);
        }
        Tensor[] placed = [.. _leaves.Select(l => l.grad!)];
        Tensor[] results = new Tensor[_streams.Count];
        long first = 0;
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = OfStream(i, placed, first).MoveToOuterDisposeScope();
            first += _streams[i].shape[1];
        }
        return results;
    }

    /// <summary>Frees what was kept.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in _streams.Concat(_leaves))
        {
            tensor.Dispose();
        }
        _found?.Dispose();
    }

    private StreamHeads Parts(Tensor stream, int i)
    {
        Tensor[] parts = stream.chunk(3, dim: -1);
        return new StreamHeads(parts[0], parts[1], parts[2], norms[i].Q, norms[i].K);
    }

    private Tensor OfStream(int i, Tensor[] placed, long first)
    {
        StreamHeads parts = Parts(_streams[i], i);
        if (Heads.SuitKernels(parts.Q, heads))
        {
            Tensor result = empty(_streams[i].shape, _streams[i].dtype, _streams[i].device);
            Tensor[] to = result.chunk(3, dim: -1);
            BlockKernels.PlaceGradient(
                (placed[0], placed[1], placed[2]), parts.Q, parts.K, (parts.NormQ.Weight, parts.NormK.Weight, RmsNorm.Epsilon), rotary,
                (to[0], to[1], to[2]), first);
            return result;
        }
        long tokens = parts.Q.shape[1];
        Tensor[] own = [.. placed.Select(p => p.narrow(1, first, tokens))];
        return PlainGradient.Of(
            [_streams[i]],
            streams =>
            {
                (Tensor q, Tensor k, Tensor v) = Heads.PlaceApart(heads, rotary.narrow(0, first, tokens), Parts(streams[0], i));
                return [q, k, v];
            },
            own)[0];
    }
}
