using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dsd.Cluster;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Runs;
using Dsd.Tools.Curate;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate work</c>: works for a coordinator.</summary>
internal sealed class CurateWorkCommand
{
    private readonly Terminal _terminal;
    private readonly CurateOptions _options = new();
    private readonly ClusterOptions _cluster = new(0);
    private readonly Option<string?> _connect = new("--connect")
    {
        Description = "Where 'dsd curate serve' runs; left out with '--redis' and '--sql', which know.",
        HelpName = "HOST:PORT",
    };

    private CurateWorkCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        CurateWorkCommand work = new(terminal);
        Command command = new("work", "Work for a 'dsd curate serve', here or on another machine. Killed at any moment, nothing is lost.") { work._connect };
        work._options.AddTo(command);
        work._cluster.AddTo(command);
        command.SetAction((parsed, cancel) => Task.Run(() => work.RunAsync(parsed, cancel), cancel));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        string? connect = parsed.GetValue(_connect);
        if (connect is null == _cluster.IsEmbedded(parsed))
        {
            throw new UsageException("A worker needs '--connect', or one of '--redis' and '--sql', and not both.");
        }
        CurationClusterOptions cluster = _cluster.Read(parsed, connect is null ? null : await EndpointAsync(connect, cancel).ConfigureAwait(false));
        cluster.Check(isCoordinator: false);
        (RunOptions options, ChatSettings chat) = _options.Run(parsed, Shard.Whole);
        _options.CheckTeacher(parsed, options.GridLayout);
        using GateOptions.Gate? gate = _options.Gate(parsed, _terminal.Warn);
        using ChatRoles roles = CurateOptions.Roles(options, chat);
        IPairJudge judge = gate?.Before(roles.Judge) ?? roles.Judge;
        List<string> warnings = [];
        using GridTeacher teacher = _options.Teacher(parsed, options.GridLayout, warnings.Add);
        foreach (string warning in warnings.Distinct())
        {
            _terminal.Warn(warning);
        }
        ProgressLine<RunProgress> line = new(_terminal, ProgressText.Of);
        await using ClusterWorker worker = await ClusterWorker.StartAsync(cluster, cancellationToken: cancel).ConfigureAwait(false);
        await using SharedBudget budget = await worker.ShareBudgetAsync(roles.Budget).ConfigureAwait(false);
        try
        {
            await worker.RunAsync(options, roles.Writer, teacher, judge, roles.Captioner, line, cancel).ConfigureAwait(false);
        }
        finally
        {
            line.Close();
        }
        return ExitCode.Done;
    }

    private static async Task<IPEndPoint> EndpointAsync(string connect, CancellationToken cancel)
    {
        int colon = connect.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(connect.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
        {
            throw new UsageException($"Option '--connect' must be a host and a port, such as 10.0.0.5:11111, but is '{connect}'.");
        }
        string host = connect[..colon].Trim('[', ']');
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(host, cancel).ConfigureAwait(false);
            // An IPv4 address first: it is what a coordinator has if no other is given.
            return new IPEndPoint(addresses.OrderByDescending(a => a.AddressFamily == AddressFamily.InterNetwork).First(), port);
        }
        catch (SocketException e)
        {
            throw new ClusterException($"There is no host '{host}': {e.Message}", e);
        }
    }
}
