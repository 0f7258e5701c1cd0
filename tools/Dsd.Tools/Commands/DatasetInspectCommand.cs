using System.CommandLine;
using System.Text.Json;
using Dsd.Dataset.Formats;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd dataset inspect</c>: what a dataset of pairs holds, from any writer.</summary>
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
        Argument<string> path = new(
            "PATH")
        {
            Description = "A dataset's folder, or one of its files: a Parquet file, a tar, or an imagefolder's metadata.jsonl, metadata.csv "
                + "or metadata.parquet."
        };
        Option<string?> split = new("--split") { Description = "The split, where there are several, such as train, validation or test.", HelpName = "NAME" };
        PairDatasetOptions names = new();
        Option<string> image = Column("--image-column", "the target", names.ImageColumn);
        Option<string> conditioning = Column("--conditioning-column", "the reference", names.ConditioningColumn);
        Option<string> caption = Column("--caption-column", "what the target shows", names.CaptionColumn);
        Option<bool> noDetails = new(
            "--no-details")
        { Description = "Read these three columns alone, where others have names of ours and hold something else." };
        Option<int> captions = new Option<int>("--captions")
        {
            Description = "How many captions to show, 0 to 100.",
            HelpName = "N",
            DefaultValueFactory = _ => 3,
        }.Between(0, 100);
        Option<bool> json = new("--json") { Description = "Write one JSON object to standard output." };
        Command command = new("inspect", "Say what a dataset of pairs holds.") { path, split, image, conditioning, caption, noDetails, captions, json };
        command.SetAction(async (parsed, cancel) =>
        {
            PairDatasetOptions options = new()
            {
                Split = parsed.GetValue(split),
                ImageColumn = parsed.GetRequiredValue(image),
                ConditioningColumn = parsed.GetRequiredValue(conditioning),
                CaptionColumn = parsed.GetRequiredValue(caption),
                ReadDetails = !parsed.GetValue(noDetails),
            };
            Report report = await Task.Run(
                () => Read(PairDataset.Open(parsed.GetRequiredValue(path), options, cancel), options, parsed.GetValue(captions), cancel), cancel);
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

    private static Option<string> Column(string name, string what, string usual)
    {
        Option<string> option = new(name)
        {
            Description = $"The column with {what}; '{usual}' if left out.",
            HelpName = "NAME",
            DefaultValueFactory = _ => usual,
        };
        option.Validators.Add(result =>
        {
            if (string.IsNullOrWhiteSpace(result.GetValueOrDefault<string>()))
            {
                result.AddError("Expected a column's name, found none.");
            }
        });
        return option;
    }

    /// <summary>Reads every row but the pictures; of these the first row's.</summary>
    private static Report Read(PairDataset dataset, PairDatasetOptions options, int captions, CancellationToken cancel)
    {
        (long rows, long kept, long decided, long reviewed) = (0, 0, 0, 0);
        (string[] pictures, string[] further) = ([], []);
        List<string> first = [];
        foreach (PairRecord row in dataset.Read(cancel))
        {
            if (rows++ == 0)
            {
                pictures = [Picture(options.ImageColumn, row.Image), Picture(options.ConditioningColumn, row.Conditioning)];
                further = [.. row.FurtherConditioning.Select((picture, i) => Picture(FurtherColumn(options, i), picture))];
            }
            kept += row.Details.Kept == true ? 1 : 0;
            decided += row.Details.Status == "decided" ? 1 : 0;
            reviewed += row.Details.Reviewed is "kept" or "rejected" ? 1 : 0;
            if (first.Count < captions)
            {
                first.Add(Printable.Line(row.Caption, MostCaption));
            }
        }
        string[] columns =
        [
            options.ImageColumn, options.ConditioningColumn, .. further.Select((_, i) => FurtherColumn(options, i)), options.CaptionColumn,
            .. dataset.Details.Select(d => d.Name),
        ];
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
            [.. pictures, .. further],
            [.. first]);
    }

    private static string FurtherColumn(PairDatasetOptions options, int index) => FormattableString.Invariant($"{options.ConditioningColumn}_{index + 2}");

    private static string Picture(string column, EncodedPicture picture)
    {
        ReadOnlyMemory<byte> bytes = picture.ReadBytes();
        Imaging.Picture decoded = picture.Decode();
        return $"{column} {decoded.Width} × {decoded.Height} pixels in {bytes.Length} bytes";
    }

    private static void Print(TextWriter output, Report report)
    {
        output.WriteLine($"{Printable.Line(report.Path)}: {report.Format}, {report.Rows} rows, {report.Files} "
            + $"{(report.Format == "imagefolder" ? "metadata files" : "files")}, {Printable.Bytes(report.Bytes)}");
        output.WriteLine($"columns: {string.Join(", ", report.Columns)}");
        foreach ((string name, long? count) in new[] { ("kept", report.Kept), ("decided", report.Decided), ("reviewed", report.Reviewed) })
        {
            if (count is not null)
            {
                string share = report.Rows > 0 ? FormattableString.Invariant($" ({100.0 * count.Value / report.Rows:0.0} %)") : "";
                output.WriteLine(FormattableString.Invariant($"{name}: {count} of {report.Rows}{share}"));
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
        string Path, string Format, long Rows, int Files, long Bytes, string[] Columns, long? Kept, long? Decided, long? Reviewed, string[] FirstRow,
        string[] Captions);
}
