namespace Dsd.Cluster.Queue;

/// <summary>Whether a queue has work.</summary>
[GenerateSerializer]
internal enum QueueState
{
    /// <summary>There is work, or may be: what others hold may return.</summary>
    Open,

    /// <summary>All captions are through.</summary>
    Finished,

    /// <summary>The coordinator ends before that.</summary>
    Stopped,
}
