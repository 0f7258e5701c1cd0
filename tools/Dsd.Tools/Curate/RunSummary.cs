using System.Globalization;
using System.Text.Json;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Spectre.Console;

namespace Dsd.Tools.Curate;

/// <summary>What a run's folder holds, for people.</summary>
internal static class RunSummary
{
    private const int MostFailures = 5;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static void Write(Terminal terminal, RunFolder folder)
    {
        if (terminal.AsJson)
        {
            terminal.Output.WriteLine(
                JsonSerializer.Serialize(
                    new { counts = folder.Ledger.Counts(), usage = folder.Ledger.Usage(), unreadable = folder.Ledger.Faults() }, Json));
            return;
        }
        LedgerCounts counts = folder.Ledger.Counts();
        Table table = new() { Border = TableBorder.Simple, ShowHeaders = false };
        table.AddColumn("").AddColumn(new TableColumn("") { Alignment = Justify.Right });
        void Row(string what, long number) => table.AddRow(what, number.ToString("N0", CultureInfo.InvariantCulture));
        void Gated(string what, long number)
        {
            if (counts.TooDifferent + counts.NearCopies > 0)
            {
                table.AddRow(what, string.Create(CultureInfo.InvariantCulture, $"{number:N0} ({(double)number / counts.Pairs:P1})"));
            }
        }
        Row("captions", counts.Captions);
        Row("prompts", counts.Prompts);
        Row("grids", counts.Grids);
        Row("pairs judged", counts.Pairs);
        Row("kept", counts.Kept);
        Row("undecided", counts.Undecided);
        Gated("not asked about: too different", counts.TooDifferent);
        Gated("not asked about: near copies", counts.NearCopies);
        Row("reviewed by people", counts.Reviewed);
        Row("failed, left for the next run", counts.Failures);
        LedgerFaults unreadable = folder.Ledger.Faults(MostFailures);
        Row("rows that cannot be read", unreadable.Count);
        terminal.Results.Write(table);
        IReadOnlyList<LedgerUsage> usage = folder.Ledger.Usage();
        if (usage.Count > 0)
        {
            Table votes = new() { Border = TableBorder.Simple };
            votes.AddColumns("judge", "model");
            foreach (string heading in new[] { "votes", "questions", "tokens in", "tokens out" })
            {
                votes.AddColumn(new TableColumn(heading) { Alignment = Justify.Right });
            }
            foreach (LedgerUsage u in usage)
            {
                votes.AddRow([Markup.Escape(u.Judge), Markup.Escape(Printable.Line(u.Model ?? "")),
                    .. new[] { u.Votes, u.Calls, u.InputTokens, u.OutputTokens }.Select(n => n.ToString("N0", CultureInfo.InvariantCulture))]);
            }
            terminal.Results.Write(votes);
        }
        foreach ((string id, string stage, string message) in folder.Ledger.Failures(MostFailures))
        {
            terminal.Warn($"{stage} of '{id}' failed: {message}");
        }
        foreach (string fault in unreadable.First)
        {
            terminal.Warn(fault);
        }
    }
}
