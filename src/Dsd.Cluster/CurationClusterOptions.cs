using System.Net;
using Dsd.Common.Options;

namespace Dsd.Cluster;

/// <summary>How the processes of one run find each other, and how long a silent one keeps its work. All of a cluster take the same.</summary>
public sealed record CurationClusterOptions
{
    /// <summary>Which cluster: processes of another name are not let in. 1 to 64 letters, digits, '-' or '_'. Default 'dsd'.</summary>
    public string ClusterId { get; init => field = Named(value); } = "dsd";

    /// <summary>Where the processes find each other. Default <see cref="ClusterProvider.Embedded"/>.</summary>
    public ClusterProvider Provider
    {
        get;
        init => field = OptionCheck.Defined(value, nameof(Provider));
    }

    /// <summary>
    /// The environment variable that holds the connection string of Redis or the database: its name, so that no secret stands in a file, a
    /// command line or a log. Must be null with <see cref="ClusterProvider.Embedded"/>, and set otherwise.
    /// </summary>
    public string? ConnectionVariable
    {
        get;
        init => field = value is null or { Length: > 0 }
            ? value
            : throw new ArgumentException($"Option {nameof(ConnectionVariable)} must name an environment variable, but is empty.", nameof(ConnectionVariable));
    }

    /// <summary>
    /// The database's driver by its invariant name. 'Npgsql' (PostgreSQL) comes with this library; the assembly of another must stand next
    /// to the program. Null, the default: 'Npgsql'.
    /// </summary>
    public string? SqlDriver { get; init; }

    /// <summary>The address at which the others reach this process. Null, the default: the one from which the coordinator is reached, else loopback.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>The port at which the others reach this process, 0 to 65535. Default 0: a free one.</summary>
    public int Port { get; init => field = OptionCheck.Range(value, 0, ushort.MaxValue, nameof(Port)); }

    /// <summary>The coordinator's address, for a worker with <see cref="ClusterProvider.Embedded"/>; null otherwise.</summary>
    public IPEndPoint? Coordinator { get; init; }

    /// <summary>
    /// How long a worker that is not heard of keeps its captions, 1 second to 1 day. A worker tells four times in it that it lives. Default
    /// 1 minute.
    /// </summary>
    public TimeSpan LeaseTime
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), nameof(LeaseTime));
    } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a worker that lives but ends no piece of work keeps its captions, 1 second to 7 days: longer than the slowest batch takes.
    /// Default 1 hour.
    /// </summary>
    public TimeSpan StallTime
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(7), nameof(StallTime));
    } = TimeSpan.FromHours(1);

    /// <summary>How long a worker asks again where the coordinator does not answer, 1 second to 1 day. Default 2 minutes.</summary>
    public TimeSpan Patience
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), nameof(Patience));
    } = TimeSpan.FromMinutes(2);

    /// <summary>Captions that a worker leases at once, 1 to 1000. Default 4.</summary>
    public int LeaseSize { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(LeaseSize)); } = 4;

    /// <summary>A caption that so many workers were lost with is not handed out again in this run, 1 to 1000: it may be what ends them. Default 5.</summary>
    public int MostLosses { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(MostLosses)); } = 5;

    /// <summary>The largest grid that is sent, in bytes of PNG, 1 MiB to 512 MiB. Default 64 MiB.</summary>
    public int MaxGridBytes { get; init => field = OptionCheck.Range(value, 1024 * 1024, 512 * 1024 * 1024, nameof(MaxGridBytes)); } = 64 * 1024 * 1024;

    /// <summary>Refuses options that contradict each other, as starting does, before anything else is begun.</summary>
    /// <param name="isCoordinator">Whether they are a coordinator's; a worker's otherwise.</param>
    /// <exception cref="ArgumentException">They do, or the environment variable is not set.</exception>
    public void Check(bool isCoordinator) => Connection(isCoordinator);

    /// <summary>How often a worker tells that it lives.</summary>
    internal TimeSpan Heartbeat => LeaseTime / 4;

    /// <summary>How long a worker waits that was given nothing, since the last captions are with others.</summary>
    internal TimeSpan Pause => TimeSpan.FromMilliseconds(Math.Clamp(LeaseTime.TotalMilliseconds / 20, 50, 1000));

    /// <summary>What the environment says of the connection; null with <see cref="ClusterProvider.Embedded"/>.</summary>
    /// <exception cref="ArgumentException">Options contradict each other, or the variable is not set.</exception>
    internal string? Connection(bool isCoordinator)
    {
        bool embedded = Provider == ClusterProvider.Embedded;
        Refuse(isCoordinator && Coordinator is not null, nameof(Coordinator), "be null: this process is the coordinator");
        Refuse(!isCoordinator && embedded && Coordinator is null, nameof(Coordinator), $"say where the coordinator is, since {nameof(Provider)} is {Provider}");
        Refuse(
            !isCoordinator && !embedded && Coordinator is not null,
            nameof(Coordinator),
            $"be null: with {nameof(Provider)} {Provider} the coordinator is found there");
        Refuse(embedded && ConnectionVariable is not null, nameof(ConnectionVariable), $"be null: {nameof(Provider)} {Provider} needs no connection");
        Refuse(Provider != ClusterProvider.Sql && SqlDriver is not null, nameof(SqlDriver), $"be null: {nameof(Provider)} is {Provider}");
        if (embedded)
        {
            return null;
        }
        Refuse(
            ConnectionVariable is null,
            nameof(ConnectionVariable),
            $"name the environment variable with the connection string, since {nameof(Provider)} is {Provider}");
        string? connection = Environment.GetEnvironmentVariable(ConnectionVariable!);
        Refuse(
            string.IsNullOrWhiteSpace(connection), nameof(ConnectionVariable), $"name an environment variable that is set, and '{ConnectionVariable}' is not");
        return connection;
    }

    private static void Refuse(bool wrong, string option, string expected)
    {
        if (wrong)
        {
            throw new ArgumentException($"Option {option} must {expected}.", option);
        }
    }

    private static string Named(string? value) =>
        value is { Length: > 0 and <= 64 } && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? value
            : throw new ArgumentException($"Option {nameof(ClusterId)} must be 1 to 64 letters, digits, '-' or '_', but is '{value}'.", nameof(ClusterId));
}
