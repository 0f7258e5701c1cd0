namespace Dsd.Cluster;

/// <summary>The cluster cannot be joined, does not answer any more, or has been stopped.</summary>
public sealed class ClusterException : Exception
{
    /// <summary>Says what happened and what to do.</summary>
    public ClusterException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
