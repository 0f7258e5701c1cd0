using System.CommandLine;
using System.Text.Json;
using Dsd.Dataset.Formats;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd dataset inspect</c>: what a dataset of pairs holds, whoever wrote it.</summary>
internal static class DatasetInspectCommand
{
    private const int MostCaption = 200;

    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public static Command Create(Terminal terminal)
    {
        Argument<string> path = new("PATH") { Description = "A dataset's folder, or one of its files: a Parquet file, a tar or a metadata.jsonl." };
        Option<string?> split = new("--split") { Description = "The split, where there are several.", HelpName = "NAME" };
        Option<int> captions = new Option<int>("--captions") { Description = "How many captions to show, 0 to 100.", HelpName = "N", DefaultValueFactory = _ => 3 }.Between(0, 100);
        Option<bool> json = new("--json") { Description = "Write one JSON object to standard output." };
        Command command = new("inspect", "Say what a dataset of pairs holds.") { path, split, captions, json };
        command.SetAction(async (parsed, cancel) =>
        {
            PairDatasetOptions options = new() { Split = parsed.GetValue(split) };
            Report report = await Task.Run(() => Read(PairDataset.Open(parsed.GetRequiredValue(path), options), parsed.GetValue(captions), cancel), cancel);
            if (parsed.GetValue(json))
            {
                terminal.Output.WriteLine(JsonSerializer.Serialize(report, Json));
            }
            else
            {
                Print(terminal.Output, report);
            }
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>Reads every row but the pictures; of these the first row's two.</summary>
    private static Report Read(PairDataset dataset, int captions, CancellationToken cancel)
    {
        (long rows, long kept, long decided, long reviewed) = (0, 0, 0, 0);
        string[] pictures = [];
        List<string> first = [];
        foreach (PairRecord row in dataset.Read())
        {
            cancel.ThrowIfCancellationRequested();
            if (rows++ == 0)
            {
                pictures = [Picture("image", row.Image), Picture("conditioning", row.Conditioning)];
            }
            kept += row.Details.Kept == true ? 1 : 0;
            decided += row.Details.Status == "decided" ? 1 : 0;
            reviewed += row.Details.Reviewed is "kept" or "rejected" ? 1 : 0;
            if (first.Count < captions)
            {
                first.Add(Printable.Line(row.Caption, MostCaption));
            }
        }
        string[] columns = ["image", "conditioning", "caption", .. dataset.Details.Select(d => d.Name)];
        bool Has(string column) => columns.Contains(column);
        return new Report(
            dataset.Path,
            dataset.Format.ToString().ToLowerInvariant(),
            rows,
            dataset.Files.Count,
            dataset.Files.Sum(f => new FileInfo(f).Length),
            columns,
            Has("kept") ? kept : null,
            Has("status") ? decided : null,
            Has("reviewed") ? reviewed : null,
            pictures,
            [.. first]);
    }

    private static string Picture(string column, EncodedPicture picture)
    {
        ReadOnlyMemory<byte> bytes = picture.ReadBytes();
        Imaging.Picture decoded = picture.Decode();
        return $"{column} {decoded.Width} × {decoded.Height} pixels in {bytes.Length} bytes";
    }

    private static void Print(TextWriter output, Report report)
    {
        output.WriteLine($"{Printable.Line(report.Path)}: {report.Format}, {report.Rows} rows, {report.Files} {(report.Format == "imagefolder" ? "metadata files" : "files")}, {Printable.Bytes(report.Bytes)}");
        output.WriteLine($"columns: {string.Join(", ", report.Columns)}");
        foreach ((string name, long? count) in new[] { ("kept", report.Kept), ("decided", report.Decided), ("reviewed", report.Reviewed) })
        {
            if (count is not null)
            {
                output.WriteLine(FormattableString.Invariant($"{name}: {count} of {report.Rows}{(report.Rows > 0 ? FormattableString.Invariant($" ({100.0 * count.Value / report.Rows:0.0} %)") : "")}"));
            }
        }
        foreach (string picture in report.FirstRow)
        {
            output.WriteLine($"first row: {picture}");
        }
        foreach (string caption in report.Captions)
        {
            output.WriteLine($"caption: {caption}");
        }
    }

    private sealed record Report(
        string Path, string Format, long Rows, int Files, long Bytes, string[] Columns, long? Kept, long? Decided, long? Reviewed, string[] FirstRow, string[] Captions);
}
