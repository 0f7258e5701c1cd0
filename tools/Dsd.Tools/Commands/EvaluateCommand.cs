using System.CommandLine;
using System.Globalization;
using Dsd.Common.Files;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;
using Dsd.Onnx.Runtime;
using Dsd.Tools.Curate;
using Spectre.Console;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd evaluate</c>: scores the pictures of one system or several, and writes a report.</summary>
internal sealed class EvaluateCommand
{
    private readonly Terminal _terminal;
    private readonly Option<string> _metrics = new("--metrics")
    {
        Description = $"What to compute, with commas between: {string.Join(", ", SimilarityMetrics.Known)}.",
        HelpName = "NAME,NAME…",
        Required = true,
    };
    private readonly Option<string> _references = new("--references")
    {
        Description = "The folder of references: [CATEGORY/]SUBJECT.png, or [CATEGORY/]SUBJECT/PICTURE.png.",
        HelpName = "FOLDER",
        Required = true,
    };
    private readonly Option<string[]> _generated = Several(
        "--generated", "The folder of what was generated: [CATEGORY/]SUBJECT/PICTURE.png, or SUBJECT.png. With several, each is compared with the first.");
    private readonly Option<string[]> _encoders = Several(
        "--encoders", "The folders that 'dsd export --encoder' wrote, one of each kind that the metrics need.");
    private readonly Option<string?> _prompts = new("--prompts")
    {
        Description = "Prompts, for clip-t: a JSON object by picture or subject, or a folder of .txt files that are named so.",
        HelpName = "FILE|FOLDER",
    };
    private readonly Option<string> _out = new("--out")
    {
        Description = "The folder to write. Scores that stand there are not computed again.",
        HelpName = "FOLDER",
        Required = true,
    };
    private readonly Option<string> _device = DeviceOption.Create(
        "cpu, cuda, tensorrt, directml, coreml or webgpu, or several with commas between, each for when those before it cannot be had",
        OnnxModelOptions.IsDevice);
    private readonly Option<int> _batch = new Option<int>("--batch")
    {
        Description = "Pictures that are scored together.",
        HelpName = "N",
        DefaultValueFactory = _ => new EvaluationOptions().BatchSize,
    }.Between(1, 1024);
    private readonly Option<int> _examples = new Option<int>("--examples")
    {
        Description = "How many of the best and of the worst pictures the report shows.",
        HelpName = "N",
        DefaultValueFactory = _ => new EvaluationOptions().Examples,
    }.Between(0, 24);
    private readonly Option<bool> _json = new("--json") { Description = "Write the results as one JSON object." };

    private EvaluateCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        EvaluateCommand evaluate = new(terminal);
        Command command = new("evaluate", "Measure generated pictures: similarities to their references and prompts, and a report.")
        {
            evaluate._metrics, evaluate._references, evaluate._generated, evaluate._encoders, evaluate._prompts, evaluate._out, evaluate._device,
            evaluate._batch, evaluate._examples, evaluate._json,
        };
        command.SetAction((parsed, cancel) => Task.Run(() => evaluate.RunAsync(parsed, cancel), cancel));
        return command;
    }

    private static Option<string[]> Several(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "FOLDER",
        Required = true,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        string target = parsed.GetRequiredValue(_out);
        WritablePlace.RequireFolder(target);
        EvaluationOptions options = new() { BatchSize = parsed.GetValue(_batch), Examples = parsed.GetValue(_examples) };
        OnnxRuntimeOptions runtime = new OnnxRuntimeOptions { Warn = _terminal.Warn }.On(parsed.GetRequiredValue(_device));
        string[] names = parsed.GetRequiredValue(_metrics).Split(',', StringSplitOptions.TrimEntries);
        IReadOnlyList<EvaluationSystem> systems = Checked(
            () => EvaluationFolders.Read(parsed.GetRequiredValue(_references), parsed.GetRequiredValue(_generated), parsed.GetValue(_prompts)));
        if (names.Contains(MetricNames.ClipT) && systems.All(s => s.Items.All(i => i.Prompt is null)))
        {
            throw new UsageException($"Metric '{MetricNames.ClipT}' compares pictures with their prompts, but no picture has one: give '--prompts'.");
        }
        using SimilarityMetrics metrics = Checked(() => SimilarityMetrics.Open(names, parsed.GetRequiredValue(_encoders), runtime, options.BatchSize));
        ProgressLine<EvaluationProgress> line = new(
            _terminal, (p, _) => string.Create(CultureInfo.InvariantCulture, $"evaluating: {p.Done} of {p.All} pictures"));
        EvaluationResults results;
        try
        {
            results = await new EvaluationRun(metrics.Metrics, systems, options) { Progress = line, Warn = _terminal.Warn }
                .RunAsync(target, cancel).ConfigureAwait(false);
        }
        finally
        {
            line.Close();
        }
        if (parsed.GetValue(_json))
        {
            _terminal.Output.WriteLine(results.ToJson());
        }
        else
        {
            Write(results);
            _terminal.Output.WriteLine(Path.Combine(target, EvaluationRun.ReportFile));
        }
        return ExitCode.Done;
    }

    private void Write(EvaluationResults results)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns("metric", "system", "mean", "95 % interval");
        table.AddColumn(new TableColumn("pictures") { Alignment = Justify.Right });
        foreach (MetricResult metric in results.Metrics)
        {
            foreach (SystemScore system in metric.Systems)
            {
                Row(metric.Metric, system.System, system.All);
            }
            foreach (SystemDifference difference in metric.Differences)
            {
                Row(metric.Metric, $"{difference.System} less {difference.Against}", difference.Difference);
            }
        }
        _terminal.Results.Write(table);

        void Row(string metric, string system, ScoreSummary summary) => table.AddRow(
            metric, Markup.Escape(Printable.Line(system)), Number(summary.Mean), $"{Number(summary.Low)} to {Number(summary.High)}",
            summary.Pictures.ToString("N0", CultureInfo.InvariantCulture));
    }

    private static string Number(double? number) => number?.ToString("0.000", CultureInfo.InvariantCulture) ?? "none";

    /// <summary>What contradicts itself on the command line.</summary>
    private static T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(ErrorText.OneLine(e), e);
        }
    }
}
