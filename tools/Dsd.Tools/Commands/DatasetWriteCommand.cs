using System.CommandLine;
using System.Globalization;
using Dsd.Common.Files;
using Dsd.Dataset.Formats;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Metrics;
using Dsd.Onnx.Runtime;
using Dsd.Runs.Export;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd dataset write</c>: what a run has kept, in a layout that others read.</summary>
internal static class DatasetWriteCommand
{
    private static readonly Dictionary<string, PairFormat> Formats = new()
    {
        ["parquet"] = PairFormat.Parquet,
        ["imagefolder"] = PairFormat.ImageFolder,
        ["webdataset"] = PairFormat.WebDataset,
    };

    public static Command Create(Terminal terminal)
    {
        Argument<string> run = new("RUNFOLDER") { Description = "The folder of a curation run." };
        Option<string> format = new("--format")
        {
            Description = "The layout; parquet if left out.",
            HelpName = string.Join('|', Formats.Keys),
            DefaultValueFactory = _ => "parquet",
        };
        format.AcceptOnlyFromAmong([.. Formats.Keys]);
        Option<string> folder = new("--out") { Description = "The folder to write.", HelpName = "FOLDER", Required = true };
        Option<bool> rejected = new("--rejected") { Description = "Write pairs that are not kept too; the column 'kept' tells them apart." };
        Option<int> references = new Option<int>("--references")
        {
            Description = "How many references each row has, 1 to 15: further ones are panels that make kept pairs of their own with the target. Rows with "
                + "fewer are left out.",
            HelpName = "N",
            DefaultValueFactory = _ => new DatasetWriteOptions().References,
        }.Between(1, 15);
        Option<int> jpeg = new Option<int>("--jpeg")
        {
            Description = "Write pictures as JPEG of this quality, 1 to 100; PNG if left out.",
            HelpName = "QUALITY",
        }.Between(1, 100);
        Option<int> shard = new Option<int>("--shard-size")
        {
            Description = "The most that a file holds, 1 to 1000000 MB (10⁶ bytes); 500 if left out. Not for an imagefolder.",
            HelpName = "MB",
        }.Between(1, 1_000_000);
        Option<string?> encoder = new("--duplicates-encoder")
        {
            Description = "An encoder's folder ('dsd export --encoder'): grids that look nearly as an earlier one does to it are left out.",
            HelpName = "FOLDER",
        };
        Option<double?> most = new Option<double?>("--duplicates-most")
        {
            Description = "With '--duplicates-encoder': the largest similarity that two grids may have, -1 to 1.",
            HelpName = "X",
        }.Between(-1, 1);
        Option<string> device = DeviceOption.Create("cpu, cuda or another of ONNX Runtime's devices, for '--duplicates-encoder'", OnnxModelOptions.IsDevice);
        Option<bool> overwrite = new("--overwrite") { Description = "Replace an earlier dataset there." };
        CutOptions cutting = new();
        Command command = new("write", "Write a run's pairs as a dataset.")
        {
            run, format, folder, rejected, references, jpeg, shard, encoder, most, device, overwrite,
        };
        cutting.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            PairCut? cut = cutting.Read(parsed);
            DatasetWriteOptions options = new()
            {
                Format = Formats[parsed.GetValue(format)!],
                IncludeRejected = parsed.GetValue(rejected),
                References = parsed.GetValue(references),
                JpegQuality = parsed.GetResult(jpeg) is null ? null : parsed.GetValue(jpeg),
                ShardBytes = parsed.GetResult(shard) is null ? null : parsed.GetValue(shard) * 1_000_000L,
                Overwrite = parsed.GetValue(overwrite),
            };
            if (options is { Format: PairFormat.ImageFolder, ShardBytes: not null })
            {
                throw new UsageException("'--shard-size' is for files with many rows, and an imagefolder has none: leave it out.");
            }
            if (options is { References: > 1, IncludeRejected: true })
            {
                throw new UsageException("'--references' and '--rejected' exclude each other: what is rejected has no further references.");
            }
            if (parsed.GetValue(encoder) is null != parsed.GetValue(most) is null)
            {
                throw new UsageException($"'{encoder.Name}' and '{most.Name}' are given together, or neither.");
            }
            string target = parsed.GetRequiredValue(folder);
            if (!options.Overwrite && Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
            {
                throw new IOException(
                    $"Cannot write the dataset '{target}': it is not empty. Choose another folder, or add '--overwrite' if it holds an earlier dataset.");
            }
            WritablePlace.RequireMovedFolder(target);
            string source = parsed.GetRequiredValue(run);
            await Task.Run(
                () =>
                {
                    IReadOnlySet<string>? without = parsed.GetValue(encoder) is { } network
                        ? Duplicates(
                            terminal, source, options.IncludeRejected || cut is not null, network, parsed.GetValue(most)!.Value,
                            parsed.GetRequiredValue(device), cancel)
                        : null;
                    Write(terminal, source, target, options, without, cut, cancel);
                },
                cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private static HashSet<string> Duplicates(
        Terminal terminal, string run, bool every, string encoder, double most, string device, CancellationToken cancel)
    {
        using PictureEncoder opened = PictureEncoder.Open(encoder, new OnnxRuntimeOptions { Warn = terminal.Warn }.On(device));
        FoundDuplicates found = NearDuplicates.Find(RunExport.Grids(run, every), opened, most, cancellationToken: cancel);
        double share = (double)found.Dropped.Count / Math.Max(1, found.All);
        terminal.Error.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture, $"{found.Dropped.Count} of {found.All} grids ({share:P1}) nearly repeat an earlier one and are left out"));
        return [.. found.Dropped.Keys];
    }

    private static void Write(
        Terminal terminal, string run, string target, DatasetWriteOptions options, IReadOnlySet<string>? without, PairCut? cut, CancellationToken cancel)
    {
        ExportedRun? exported = null;
        terminal.Track("writing", stages => exported = RunExport.Write(run, target, options, new RowProgress(stages), without, cut, cancel));
        if (exported!.Unreadable.Count > 0)
        {
            terminal.Warn(exported.Unreadable.ToString());
        }
        if (exported.TooFewReferences > 0)
        {
            terminal.Warn($"{exported.TooFewReferences} rows are left out: their targets have fewer than {options.References} references.");
        }
        WrittenDataset written = exported.Dataset;
        terminal.Output.WriteLine(target);
        terminal.Error.WriteLine(
            $"{written.Rows} rows{(options.IncludeRejected ? $", {written.Kept} kept" : "")}, {written.Files} files, {Printable.Bytes(written.Bytes)}");
    }

    // How many rows there will be depends on the run's task and on what is kept, so the bar does not say how much is left.
    private sealed class RowProgress(IProgress<Stage> stages) : IProgress<long>
    {
        public void Report(long value) => stages.Report(new Stage($"{value} rows", 0));
    }
}
