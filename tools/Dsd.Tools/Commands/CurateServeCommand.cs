using System.CommandLine;
using Dsd.Cluster;
using Dsd.Common.Files;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Dsd.Tools.Curate;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate serve</c>: hands captions out to workers and keeps what they send.</summary>
internal static class CurateServeCommand
{
    /// <summary>Orleans' usual port, so that workers know where to connect before the coordinator runs.</summary>
    private const int Port = 11111;

    public static Command Create(Terminal terminal)
    {
        CaptionOptions captions = new();
        ClusterOptions cluster = new(Port);
        Option<long> seed = new("--seed") { Description = "Of '--captions tiny'; 0 if left out.", HelpName = "N" };
        Option<string> into = new("--out")
        {
            Description = "The run's folder. A run that was interrupted continues in it.",
            HelpName = "FOLDER",
            Required = true,
        };
        Command command = new("serve", "Hand captions out to workers of other processes and machines, until all are through.") { into, seed };
        captions.AddTo(command);
        cluster.AddTo(command);
        command.SetAction((parsed, cancel) => Task.Run(
            async () =>
            {
                string path = parsed.GetRequiredValue(into);
                WritablePlace.RequireFolder(path);
                CurationClusterOptions options = cluster.Read(parsed, coordinator: null);
                options.Check(isCoordinator: true);
                if (!captions.AreAPresets(parsed) && parsed.GetResult(seed) is { Implicit: false })
                {
                    throw new UsageException("Option '--seed' is for '--captions tiny'. With a file of captions the workers' '--seed' counts.");
                }
                IEnumerable<SeedCaption> seeds = captions.Read(parsed, parsed.GetValue(seed));
                await using RunFolder folder = RunFolder.Open(path);
                ProgressLine<ClusterProgress> line = new(terminal, ProgressText.Of);
                await using (ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(
                    options, folder, seeds.ToAsyncEnumerable(), line, cancellationToken: cancel))
                {
                    terminal.Error.WriteLine($"serving: {coordinator.Endpoint}");
                    try
                    {
                        await coordinator.RunAsync(cancel);
                    }
                    finally
                    {
                        line.Close();
                    }
                    foreach (SeedCaption caption in coordinator.GivenUp)
                    {
                        terminal.Warn($"Caption '{caption.Key}' was given up, as {options.MostLosses} workers were lost with it. The next run tries it "
                            + $"again: look into their logs first.");
                    }
                }
                RunSummary.Write(terminal, folder);
                return RunOutcome.Of(terminal, folder);
            },
            cancel));
        return command;
    }
}
