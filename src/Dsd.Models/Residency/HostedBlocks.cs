using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Residency;

/// <summary>
/// Blocks whose weights stay in the host's memory and pass through two slots on the device. While one block computes, the next one's weights are
/// copied. One run at a time.
/// </summary>
/// <typeparam name="T">The block.</typeparam>
internal sealed class HostedBlocks<T> : IDisposable
    where T : nn.Module
{
    private const int Slots = 2;
    private readonly IList<T> _hosts;
    private readonly T[] _slots;
    private readonly (Tensor From, Tensor To)[][] _copies;
    private readonly Action<T, T>? _lend;
    private readonly CopyStream? _stream;

    /// <summary>Prepares the slots.</summary>
    /// <param name="hosts">
    /// The blocks, at least one, all of one shape. Their weights lie in the host's memory: pinned, if they are to be copied while the GPU computes.
    /// </param>
    /// <param name="device">Where they shall compute.</param>
    /// <param name="make">Makes a slot: a block on the device, with any weights.</param>
    /// <param name="stays">Names of parameters that a slot needs no copy of; null for none.</param>
    /// <param name="lend">
    /// Called before each computation with the block and its slot, to give the slot what it needs beside weights. Null for nothing.
    /// </param>
    /// <param name="beside">Tensors of a block or a slot that are copied though they are no parameters, in the same order for all. Null for none.</param>
    public HostedBlocks(
        IList<T> hosts, Device device, Func<T> make, Func<string, bool>? stays = null, Action<T, T>? lend = null, Func<T, IEnumerable<Tensor>>? beside = null)
    {
        (_hosts, _lend) = (hosts, lend);
        _slots = [.. Enumerable.Range(0, Slots).Select(_ => make())];
        Dictionary<string, Tensor>[] to =
        [
            .. _slots.Select(p => p.named_parameters()
                .Where(n => stays?.Invoke(n.name) != true)
                .ToDictionary(n => n.name, n => (Tensor)n.parameter)),
        ];
        _copies =
        [
            .. hosts.Select((host, i) => host.named_parameters()
                .Where(n => to[i % Slots].ContainsKey(n.name))
                .Select(n => ((Tensor)n.parameter, to[i % Slots][n.name]))
                .Concat(beside is null ? [] : beside(host).Zip(beside(_slots[i % Slots])))
                .ToArray()),
        ];
        if (device.type == DeviceType.CUDA)
        {
            _stream = new CopyStream(Math.Max(0, device.index), Slots);
        }
    }

    /// <summary>The blocks in order. Each can compute on the device until the next one is asked for.</summary>
    public IEnumerable<T> Run() => Run(Enumerable.Range(0, _hosts.Count));

    /// <summary>The blocks from the last to the first, likewise.</summary>
    public IEnumerable<T> RunBackwards() => Run(Enumerable.Range(0, _hosts.Count).Reverse());

    // Neighbours never share a slot, whichever way they are gone through.
    private IEnumerable<T> Run(IEnumerable<int> order)
    {
        int[] places = [.. order];
        Fill(places[0]);
        for (int n = 0; n < places.Length; n++)
        {
            int slot = places[n] % Slots;
            if (n + 1 < places.Length)
            {
                Fill(places[n + 1]);
            }
            _stream?.Await(slot);
            _lend?.Invoke(_hosts[places[n]], _slots[slot]);
            try
            {
                yield return _slots[slot];
            }
            finally
            {
                _stream?.Used(slot);
            }
        }
    }

    /// <summary>Frees the slots; the blocks stay.</summary>
    public void Dispose()
    {
        _stream?.Dispose();
        foreach (T slot in _slots)
        {
            slot.Dispose();
        }
    }

    private void Fill(int i)
    {
        if (_stream is not null)
        {
            _stream.Write(i % Slots, _copies[i]);
            return;
        }
        using IDisposable noGrad = no_grad();
        foreach ((Tensor from, Tensor to) in _copies[i])
        {
            to.copy_(from);
        }
    }
}
