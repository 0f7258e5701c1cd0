namespace Dsd.Onnx.Runtime;

/// <summary>
/// What text encoders gave for prompts, so that the next picture of a prompt runs none. Bounded by bytes: those that were not used for longest make room.
/// Any thread may use it.
/// </summary>
internal sealed class PromptCache(long mostBytes)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, LinkedListNode<(Key Key, Embedding Value)>> _entries = [];
    // The latest used first.
    private readonly LinkedList<(Key Key, Embedding Value)> _order = [];
    private long _bytes;

    /// <summary>Bytes of the numbers that are kept.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>What a prompt gave; null if it is not known any more.</summary>
    public Embedding? Find(Key key)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out LinkedListNode<(Key Key, Embedding Value)>? node))
            {
                return null;
            }
            _order.Remove(node);
            _order.AddFirst(node);
            return node.Value.Value;
        }
    }

    /// <summary>Keeps what a prompt gave, if there is room for it at all.</summary>
    public void Keep(Key key, Embedding value)
    {
        lock (_gate)
        {
            if (value.Bytes > mostBytes || _entries.ContainsKey(key))
            {
                return;
            }
            while (_bytes + value.Bytes > mostBytes)
            {
                (Key oldest, Embedding gone) = _order.Last!.Value;
                _order.RemoveLast();
                _entries.Remove(oldest);
                _bytes -= gone.Bytes;
            }
            _entries.Add(key, _order.AddFirst((key, value)));
            _bytes += value.Bytes;
        }
    }

    /// <summary>What was encoded.</summary>
    /// <param name="Component">The encoder's folder.</param>
    /// <param name="Output">Which of its outputs.</param>
    /// <param name="Length">Tokens that the prompt was padded or cut to.</param>
    /// <param name="Prompt">The prompt.</param>
    internal readonly record struct Key(string Component, int Output, int Length, string Prompt);

    /// <summary>An encoder's output for one prompt.</summary>
    /// <param name="Numbers">Its numbers, which nobody changes.</param>
    /// <param name="Shape">Its sides, without that of the batch.</param>
    internal sealed record Embedding(float[] Numbers, long[] Shape)
    {
        public long Bytes => (long)sizeof(float) * Numbers.Length;
    }
}
