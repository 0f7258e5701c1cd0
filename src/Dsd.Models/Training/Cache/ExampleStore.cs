using Dsd.Common.Files;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Cache;

/// <summary>
/// What encoders gave for one run: in a cache's folder, or without one in memory as long as it is little, and in a scratch folder from then on.
/// </summary>
internal sealed class ExampleStore : IDisposable
{
    /// <summary>The most bytes that are kept in memory.</summary>
    public const long MostBytes = 1L << 30;

    private readonly Device _device;
    private readonly long _mostBytes;
    private readonly HashSet<CacheKey> _damaged = [];
    // The first eight bytes of keys that are known to be whole: two of a million entries that share them cost a look that is left out.
    private HashSet<ulong> _known = [];
    private Dictionary<CacheKey, Tensor[]>? _memory;
    private DiskCache? _disk;
    private readonly string? _temporary;
    private ScratchFolder? _scratch;
    private long _bytes;

    /// <summary>A store.</summary>
    /// <param name="folder">The cache's folder. Null is memory.</param>
    /// <param name="device">Where entries lie that are kept in memory.</param>
    /// <param name="mostBytes">The most bytes that are kept in memory.</param>
    /// <param name="temporary">The folder that a scratch folder is made in. Null is that of the system's temporary files.</param>
    /// <exception cref="IOException">The folder cannot be written, or a file stands in its place.</exception>
    public ExampleStore(string? folder, Device device, long mostBytes = MostBytes, string? temporary = null)
    {
        _temporary = temporary;
        (_device, _mostBytes) = (device, mostBytes);
        _disk = folder is null ? null : new DiskCache(folder);
        _memory = folder is null ? [] : null;
    }

    /// <summary>How many entries were there, and how many were made.</summary>
    public CacheCounts Counts { get; private set; } = new(0, 0, 0);

    /// <summary>Whether entries lie in memory, so that nothing has to be read ahead.</summary>
    public bool InMemory => _memory is not null;

    /// <summary>Whether an entry is there and whole.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="shapes">The shapes that its tensors must have; null where nobody knows.</param>
    public bool Has(CacheKey key, IReadOnlyList<long[]>? shapes)
    {
        if (_memory is not null)
        {
            return _memory.ContainsKey(key);
        }
        if (_known.Contains(key.A))
        {
            return true;
        }
        EntryState state = _disk!.StateOf(key, shapes);
        if (state == EntryState.Whole)
        {
            _known.Add(key.A);
            Counts = Counts with { Found = Counts.Found + 1 };
        }
        else if (state == EntryState.Damaged)
        {
            _damaged.Add(key);
        }
        return state == EntryState.Whole;
    }

    /// <summary>Keeps what an encoder gave.</summary>
    /// <param name="key">A key that <see cref="Has"/> denied.</param>
    /// <param name="parts">The tensors, which become the store's.</param>
    /// <exception cref="IOException">The entry cannot be written.</exception>
    public void Add(CacheKey key, IReadOnlyList<Tensor> parts)
    {
        Counts = _damaged.Remove(key) ? Counts with { MadeAgain = Counts.MadeAgain + 1 } : Counts with { Made = Counts.Made + 1 };
        if (_memory is null)
        {
            Write(key, parts);
            return;
        }
        _memory.Add(key, [.. parts.Select(Moved)]);
        _bytes += parts.Sum(p => p.numel() * p.element_size());
        if (_bytes > _mostBytes)
        {
            Spill();
        }
    }

    /// <summary>Ends the time in which entries are added: what is known of them is forgotten.</summary>
    public void Seal() => _known = [];

    /// <summary>
    /// Reads an entry, which any thread may do. The result makes its tensors in the dispose scope of the thread that calls it; those of an entry in
    /// memory stay the store's.
    /// </summary>
    /// <exception cref="IOException">The entry is no longer there or whole; the message names its file.</exception>
    public Func<IReadOnlyList<Tensor>> Read(CacheKey key)
    {
        if (_memory is not null)
        {
            Tensor[] parts = _memory[key];
            return () => parts;
        }
        byte[] bytes = _disk!.Read(key);
        return () => DiskCache.Tensors(bytes);
    }

    /// <summary>Frees what lies in memory, and removes the scratch folder.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in _memory?.Values.SelectMany(parts => parts) ?? [])
        {
            tensor.Dispose();
        }
        _memory = _memory is null ? null : [];
        _scratch?.Dispose();
    }

    private Tensor Moved(Tensor part)
    {
        if (part.device.type == _device.type)
        {
            return part.DetachFromDisposeScope();
        }
        Tensor moved = part.to(_device).DetachFromDisposeScope();
        part.Dispose();
        return moved;
    }

    private void Write(CacheKey key, IReadOnlyList<Tensor> parts)
    {
        _disk!.Write(key, parts);
        _known.Add(key.A);
        foreach (Tensor part in parts)
        {
            part.Dispose();
        }
    }

    private void Spill()
    {
        _scratch = new ScratchFolder("training", _temporary);
        _disk = new DiskCache(_scratch.Path);
        Dictionary<CacheKey, Tensor[]> memory = _memory!;
        while (memory.Count > 0)
        {
            (CacheKey key, Tensor[] parts) = memory.First();
            Write(key, parts);
            memory.Remove(key);
        }
        _memory = null;
    }
}
