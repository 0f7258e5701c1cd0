using System.Globalization;
using Dsd.Common.Options;

namespace Dsd.Models.Training.Parallel;

/// <summary>Which process of a group this one is, and where the group meets.</summary>
public sealed record TrainingGroupOptions
{
    /// <summary>The variable with a text that all processes of one run share: see <see cref="Job"/>.</summary>
    internal const string JobVariable = "DSD_JOB";

    private const int MostProcesses = 4096;
    private static readonly string[] Variables = ["RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"];

    /// <summary>This process' number in the group, from 0.</summary>
    public required int Rank { get; init => field = OptionCheck.Range(value, 0, MostProcesses - 1, nameof(Rank)); }

    /// <summary>Processes in the group, 1 to 4096.</summary>
    public required int WorldSize { get; init => field = OptionCheck.Range(value, 1, MostProcesses, nameof(WorldSize)); }

    /// <summary>This process' number on its machine, from 0: the number of its GPU. Default 0.</summary>
    public int LocalRank { get; init => field = OptionCheck.Range(value, 0, MostProcesses - 1, nameof(LocalRank)); }

    /// <summary>The name or address of rank 0's machine. Default this machine alone.</summary>
    public string MasterAddress
    {
        get;
        init => field = OptionCheck.TextOrNull(value, nameof(MasterAddress)) ?? throw new ArgumentNullException(nameof(MasterAddress));
    } = "127.0.0.1";

    /// <summary>The port that rank 0 listens on, 1 to 65535.</summary>
    public required int MasterPort { get; init => field = OptionCheck.Range(value, 1, 65535, nameof(MasterPort)); }

    /// <summary>
    /// A text that all processes of one run share: those of another run that come to the same port are refused. It travels as a hash, and is no protection
    /// from one who reads the network. Default empty.
    /// </summary>
    public string Job { get; init => field = value ?? throw new ArgumentNullException(nameof(Job)); } = "";

    /// <summary>How long the processes wait for each other at the start, one second to a day. Default ten minutes.</summary>
    public TimeSpan ConnectTimeout
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), nameof(ConnectTimeout));
    } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// A process of which nothing is heard for so long is dead to the others, one second to an hour. Each says every second, or ten times in this time, that
    /// it lives, whatever it computes. Default 20 seconds.
    /// </summary>
    public TimeSpan SilenceTimeout
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), nameof(SilenceTimeout));
    } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Reads the variables that torchrun sets and other starters can: <c>RANK</c>, <c>WORLD_SIZE</c>, <c>LOCAL_RANK</c>, <c>MASTER_ADDR</c> and
    /// <c>MASTER_PORT</c>; and <c>DSD_JOB</c>, which need not be there, for <see cref="Job"/>.
    /// </summary>
    /// <returns>Null where none of the five is set.</returns>
    /// <exception cref="ArgumentException">Some are set and others are not, or they contradict each other; the message says which.</exception>
    public static TrainingGroupOptions? FromEnvironment() => FromEnvironment(Environment.GetEnvironmentVariable);

    /// <summary>The same with variables from elsewhere.</summary>
    internal static TrainingGroupOptions? FromEnvironment(Func<string, string?> variable)
    {
        string?[] values = [.. Variables.Select(variable)];
        string[] missing = [.. Variables.Where((_, i) => string.IsNullOrWhiteSpace(values[i]))];
        if (missing.Length == Variables.Length)
        {
            return null;
        }
        if (missing.Length > 0)
        {
            throw new ArgumentException(
                $"Of the variables of a parallel run {string.Join(", ", Variables.Except(missing))} are set, but {string.Join(", ", missing)} are not: "
                    + "set all five, as torchrun does, or none to train with one process.");
        }
        int world = Number(1, 1, MostProcesses);
        int rank = Number(0, 0, MostProcesses - 1);
        if (rank >= world)
        {
            throw new ArgumentException($"RANK is {rank} and WORLD_SIZE is {world}: ranks are counted from 0, so RANK must be below WORLD_SIZE.");
        }
        int port = Number(4, 1, 65535);
        return new TrainingGroupOptions
        {
            Rank = rank,
            WorldSize = world,
            LocalRank = Number(2, 0, MostProcesses - 1),
            MasterAddress = values[3]!,
            // torchrun itself listens on its port, and says so with this variable: the next one is ours.
            MasterPort = variable("TORCHELASTIC_USE_AGENT_STORE") == "True" ? port < 65535 ? port + 1 : port - 1 : port,
            Job = variable(JobVariable) ?? "",
        };

        int Number(int i, int least, int most) =>
            int.TryParse(values[i], NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
                ? number
                : throw new ArgumentException($"{Variables[i]} is '{values[i]}': it must be a number from {least} to {most}.");
    }
}
