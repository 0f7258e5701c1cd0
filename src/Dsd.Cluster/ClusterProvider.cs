namespace Dsd.Cluster;

/// <summary>Where the processes of a cluster find each other.</summary>
public enum ClusterProvider
{
    /// <summary>In the coordinator's own memory: nothing else has to run, and workers are given the coordinator's address.</summary>
    Embedded,

    /// <summary>In Redis.</summary>
    Redis,

    /// <summary>In a SQL database that Orleans' clustering tables were made in.</summary>
    Sql,
}
