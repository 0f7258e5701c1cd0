using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Dsd.Cluster;

namespace Dsd.Tools.Commands;

/// <summary>The options that say how the processes of a cluster find each other.</summary>
internal sealed class ClusterOptions
{
    private readonly Option<string> _cluster = new("--cluster")
    {
        Description = "The cluster's name: letters, digits, '-' and '_'. Processes of another are not let in.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "dsd",
    };
    private readonly Option<string?> _address = new("--address")
    {
        Description = "The address of this machine that the others reach it at; found by itself if left out, and loopback for a coordinator.",
        HelpName = "IP",
    };
    private readonly Option<int> _port;
    private readonly Option<int> _lease = new Option<int>("--lease")
    {
        Description = "Seconds after which a worker that is not heard of loses its captions to others; the same in all processes.",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 60,
    }.Between(1, 86_400);
    private readonly Option<string?> _redis = new("--redis")
    {
        Description = "Find each other through Redis, whose connection string is in this environment variable.",
        HelpName = "VARIABLE",
    };
    private readonly Option<string?> _sql = new("--sql")
    {
        Description = "Find each other through a SQL database with Orleans' clustering tables, whose connection string is in this environment variable.",
        HelpName = "VARIABLE",
    };
    private readonly Option<string?> _driver = new("--sql-driver")
    {
        Description = "The database's ADO.NET driver; Npgsql, for PostgreSQL, if left out.",
        HelpName = "NAME",
    };

    /// <summary>The options of a process whose port is this one if none is asked for; 0 is a free one.</summary>
    public ClusterOptions(int port) =>
        _port = new Option<int>("--port")
        {
            Description = "The port that the others reach this process at; 0 is a free one.",
            HelpName = "N",
            DefaultValueFactory = _ => port,
        }.Between(0, ushort.MaxValue);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _cluster, _address, _port, _lease, _redis, _sql, _driver })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The cluster that a command line asks for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="coordinator">Where the coordinator is, for a worker without Redis or a database.</param>
    /// <exception cref="UsageException">Options contradict each other.</exception>
    public CurationClusterOptions Read(ParseResult parsed, IPEndPoint? coordinator)
    {
        (string? redis, string? sql) = (parsed.GetValue(_redis), parsed.GetValue(_sql));
        if (redis is not null && sql is not null)
        {
            throw new UsageException("Options '--redis' and '--sql' exclude each other.");
        }
        if (sql is null && parsed.GetValue(_driver) is not null)
        {
            throw new UsageException("Option '--sql-driver' goes with '--sql'.");
        }
        IPAddress? address = null;
        // Written with four numbers, as the reader takes a lone '3' for 0.0.0.3.
        if (parsed.GetValue(_address) is { } text
            && (!IPAddress.TryParse(text, out address) || address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != text))
        {
            throw new UsageException($"Option '--address' must be an IP address, but is '{text}'.");
        }
        return CheckedOptions.Build(() => new CurationClusterOptions
        {
            ClusterId = parsed.GetRequiredValue(_cluster),
            Provider = redis is not null ? ClusterProvider.Redis : sql is not null ? ClusterProvider.Sql : ClusterProvider.Embedded,
            ConnectionVariable = redis ?? sql,
            SqlDriver = parsed.GetValue(_driver),
            Address = address,
            Port = parsed.GetValue(_port),
            Coordinator = coordinator,
            LeaseTime = TimeSpan.FromSeconds(parsed.GetValue(_lease)),
        });
    }

    /// <summary>Whether the processes find each other without Redis or a database.</summary>
    public bool IsEmbedded(ParseResult parsed) => parsed.GetValue(_redis) is null && parsed.GetValue(_sql) is null;
}
