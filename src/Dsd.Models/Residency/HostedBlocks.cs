using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Residency;

/// <summary>
/// Blocks whose weights stay in the host's memory and pass through two places on the device: while one block computes, the next one's weights are
/// copied. One run at a time.
/// </summary>
/// <typeparam name="T">The block.</typeparam>
internal sealed class HostedBlocks<T> : IDisposable
    where T : nn.Module
{
    private const int Places = 2;
    private readonly IList<T> _hosts;
    private readonly T[] _places;
    private readonly (Tensor From, Tensor To)[][] _copies;
    private readonly Action<T, T>? _lend;
    private readonly CopyStream? _stream;

    /// <summary>Prepares the places.</summary>
    /// <param name="hosts">
    /// The blocks, at least one, all alike; their weights lie in the host's memory, pinned if the copies shall go on beside the computation.
    /// </param>
    /// <param name="device">Where they shall compute.</param>
    /// <param name="make">Makes a place: a block on the device, whose weights may be anything.</param>
    /// <param name="stays">Names of parameters that a place needs no copy of; null for none.</param>
    /// <param name="lend">
    /// Gives a place what it needs of a block beside its weights, each time before it computes for it: the block, then the place. Null for nothing.
    /// </param>
    public HostedBlocks(IList<T> hosts, Device device, Func<T> make, Func<string, bool>? stays = null, Action<T, T>? lend = null)
    {
        (_hosts, _lend) = (hosts, lend);
        _places = [.. Enumerable.Range(0, Places).Select(_ => make())];
        Dictionary<string, Tensor>[] to =
        [
            .. _places.Select(p => p.named_parameters()
                .Where(n => stays?.Invoke(n.name) != true)
                .ToDictionary(n => n.name, n => (Tensor)n.parameter)),
        ];
        _copies =
        [
            .. hosts.Select((host, i) => host.named_parameters()
                .Where(n => to[i % Places].ContainsKey(n.name))
                .Select(n => ((Tensor)n.parameter, to[i % Places][n.name]))
                .ToArray()),
        ];
        if (device.type == DeviceType.CUDA)
        {
            _stream = new CopyStream(Math.Max(0, device.index), Places);
        }
    }

    /// <summary>The blocks in order, from a number on, each ready to compute on the device until the next one is asked for.</summary>
    public IEnumerable<T> Run(int first = 0)
    {
        if (first < _hosts.Count)
        {
            Fill(first);
        }
        for (int i = first; i < _hosts.Count; i++)
        {
            int place = i % Places;
            if (i + 1 < _hosts.Count)
            {
                Fill(i + 1);
            }
            _stream?.Await(place);
            _lend?.Invoke(_hosts[i], _places[place]);
            try
            {
                yield return _places[place];
            }
            finally
            {
                _stream?.Used(place);
            }
        }
    }

    /// <summary>Frees the places; the blocks stay.</summary>
    public void Dispose()
    {
        _stream?.Dispose();
        foreach (T place in _places)
        {
            place.Dispose();
        }
    }

    private void Fill(int i)
    {
        if (_stream is not null)
        {
            _stream.Write(i % Places, _copies[i]);
            return;
        }
        using IDisposable noGrad = no_grad();
        foreach ((Tensor from, Tensor to) in _copies[i])
        {
            to.copy_(from);
        }
    }
}
