using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Runs.Ledger;
using Dsd.Tiny;
using Dsd.Tools.Benchmark;
using Spectre.Console;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd bench curation</c>: what a curation run makes of a judge's time, and what it needs itself.</summary>
internal static class BenchCurationCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Create(Terminal terminal)
    {
        Option<int> pairs = Number("--pairs", "N", "Pairs that are judged over HTTP; 5120 if left out.", 5120).Between(1, 10_000_000);
        Option<int> rows = Number("--rows", "N", "Rows of the run whose memory is watched; 100000 if left out.", 100_000).Between(1, 100_000_000);
        Option<int> concurrency = Number("--concurrency", "N", "Requests at the same time; 64 if left out.", 64).Between(1, 4096);
        Option<int> latency = Number("--latency", "MS", "Milliseconds that the server takes for each; 500 if left out.", 500).Between(1, 600_000);
        Option<int> panel = Number("--panel", "PIXELS", $"Side of a panel; {TinyModel.PanelSize} if left out, the embedded model's.", TinyModel.PanelSize)
            .Between(16, 2048);
        Option<string?> prices = new("--prices")
        {
            Description = "A price list, JSON: {\"model\": {\"input\": 2.5, \"output\": 10}}, prices of a million tokens; says what 1,000 kept pairs cost.",
            HelpName = "FILE",
        };
        Option<string?> json = new("--json") { Description = "A file for the figures.", HelpName = "FILE" };
        Command command = new("curation", "Time a curation run against a judge of fixed latency over HTTP, its ledger, and its memory over many rows.")
        {
            pairs,
            rows,
            concurrency,
            latency,
            panel,
            prices,
            json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            PriceList? list = parsed.GetValue(prices) is { } file ? PriceList.Load(file) : null;
            if (parsed.GetValue(json) is { } target)
            {
                OutputFile.CheckFile(target);
            }
            CurationBenchmarkOptions options = new()
            {
                Pairs = parsed.GetValue(pairs),
                Rows = parsed.GetValue(rows),
                Concurrency = parsed.GetValue(concurrency),
                Latency = TimeSpan.FromMilliseconds(parsed.GetValue(latency)),
                PanelSize = parsed.GetValue(panel),
            };
            await RunAsync(options, list, parsed.GetValue(json), terminal, cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private static Option<int> Number(string name, string help, string description, int usual) => new(name)
    {
        Description = description,
        HelpName = help,
        DefaultValueFactory = _ => usual,
    };

    private static async Task RunAsync(CurationBenchmarkOptions options, PriceList? prices, string? json, Terminal terminal, CancellationToken cancel)
    {
        using ScratchFolder scratch = new("bench");
        CurationBenchmarkResult result = await new CurationBenchmark(options, scratch.Path, new Line(terminal)).MeasureAsync(cancel);
        result = result with { CostPer1000Kept = Costs(result, prices) };
        terminal.Results.Write(Table(result));
        if (json is not null)
        {
            AtomicFile.Write(json, stream => JsonSerializer.Serialize(stream, result, Json));
        }
    }

    private static Dictionary<string, double>? Costs(CurationBenchmarkResult result, PriceList? prices) => result.Kept == 0 ? null
        : prices?.Prices.Keys.ToDictionary(model => model, model => prices.CostOf(model, result.InputTokens, result.OutputTokens)!.Value * 1000 / result.Kept);

    private static Table Table(CurationBenchmarkResult r)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumn("what").AddColumn(new TableColumn("measured") { Alignment = Justify.Right }).AddColumn("of");
        void Row(FormattableString what, FormattableString measured, string of) =>
            table.AddRow(Markup.Escape(what.ToString(CultureInfo.InvariantCulture)), measured.ToString(CultureInfo.InvariantCulture), Markup.Escape(of));
        Row($"pairs a second, {r.Concurrency} at once of {r.LatencyMs:0} ms", $"{r.AchievedPerS:0.0}",
            string.Create(CultureInfo.InvariantCulture, $"{r.IdealPerS:0.0} ideal, {r.AchievedPerS / r.IdealPerS:0.0 %}"));
        Row($"overhead, ms a pair", $"{r.OverheadMsPerPair:0.00}",
            string.Create(CultureInfo.InvariantCulture,
                $"processor time from the grid to the ledger, panels of {r.PanelSize} pixels; {r.AloneMsPerPair:0.00} by the clock, server included"));
        Row($"the run, ms a pair", $"{r.RunMsPerPair:0.00}", "processor time with the prompt and the grid's file");
        Row($"the embedded judge, ms a pair", $"{r.EmbeddedJudgeMsPerPair:0.00}",
            string.Create(CultureInfo.InvariantCulture, $"of which {r.EmbeddedOverheadMsPerPair:0.00} around it"));
        Row($"ledger, judgements a second", $"{r.LedgerWritesPerS:0}", "64 writers, each waits for its own");
        Row($"rows a second", $"{r.RowsPerS:0}", string.Create(CultureInfo.InvariantCulture, $"{r.Rows} rows, tiny grids, a judge that takes no time"));
        Row($"memory, MB", $"{r.PeakRssBytes / 1e6:0}",
            string.Create(CultureInfo.InvariantCulture,
                $"at most; {r.EarlyRssBytes / 1e6:0} in the second quarter of the rows, {r.LateRssBytes / 1e6:0} in the last"));
        Row($"tokens a pair", $"{(r.InputTokens + r.OutputTokens) / (double)r.Pairs:0}",
            string.Create(CultureInfo.InvariantCulture, $"as the server counts them; it keeps {r.Kept / (double)r.Pairs:0 %}"));
        foreach ((string model, double cost) in r.CostPer1000Kept ?? new Dictionary<string, double>())
        {
            Row($"1,000 kept pairs by {model}", $"{cost:0.00}", "by these tokens and this share");
        }
        return table;
    }

    private sealed class Line(Terminal terminal) : IProgress<string>
    {
        public void Report(string value) => terminal.Error.WriteLine(value);
    }
}
