using System.CommandLine;
using System.Globalization;
using Dsd.Common.Files;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;
using Dsd.Onnx.Runtime;
using Dsd.Tools.Curate;
using Spectre.Console;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd evaluate</c>: scores the pictures of one system or several, and writes a report.</summary>
internal sealed class EvaluateCommand
{
    private static readonly string[] Known = [.. SimilarityMetrics.Known, .. JudgedMetric.Known];

    private readonly Terminal _terminal;
    private readonly Option<string?> _metrics = new("--metrics")
    {
        Description = $"What to compute, with commas between: {string.Join(", ", Known)}.",
        HelpName = "NAME,NAME…",
    };
    private readonly Option<string?> _references = new("--references")
    {
        Description = "The folder of references: [CATEGORY/]SUBJECT.png, or [CATEGORY/]SUBJECT/PICTURE.png.",
        HelpName = "FOLDER",
    };
    private readonly Option<string[]> _generated = Several(
        "--generated", "The folder of what was generated: [CATEGORY/]SUBJECT/PICTURE.png, or SUBJECT.png. With several, each is compared with the first.");
    private readonly Option<string[]> _dreamBench = Several(
        "--dreambench", "Folders in DreamBench++'s layout (src_image, tgt_image, text), in place of '--references' and '--generated'.");
    private readonly Option<string?> _vistory = new("--vistory")
    {
        Description = "The folder of ViStoryBench's stories, in place of '--metrics' and '--references': CSD, self and cross, of each '--generated', a folder "
            + "METHOD/MODE/LANGUAGE/TIMESTAMP. Results stand below '--out' as the benchmark writes them.",
        HelpName = "FOLDER",
    };
    private readonly Option<string[]> _encoders = Several(
        "--encoders", "The folders that 'dsd export --encoder' wrote, one of each kind that the metrics need.");
    private readonly Option<string?> _prompts = new("--prompts")
    {
        Description = "Prompts, for clip-t: a JSON object by picture or subject, or a folder of .txt files that are named so.",
        HelpName = "FILE|FOLDER",
    };
    private readonly Option<string?> _chat = ScoringModel.Option("for cp and pf");
    private readonly Option<string?> _rubrics = new("--rubrics")
    {
        Description = "A folder of texts for the judge in place of this program's own, such as the prompts of DreamBench++.",
        HelpName = "FOLDER",
    };
    private readonly Option<int> _repeats = new Option<int>("--repeats")
    {
        Description = "How often a judge is asked each question.",
        HelpName = "N",
        DefaultValueFactory = _ => new ScoreJudgeOptions().Repeats,
    }.Between(1, 100);
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
            evaluate._metrics, evaluate._references, evaluate._generated, evaluate._prompts, evaluate._dreamBench, evaluate._vistory, evaluate._encoders,
            evaluate._device, evaluate._chat, evaluate._rubrics, evaluate._repeats, evaluate._out, evaluate._batch, evaluate._examples, evaluate._json,
        };
        command.SetAction((parsed, cancel) => Task.Run(() => evaluate.RunAsync(parsed, cancel), cancel));
        return command;
    }

    private static Option<string[]> Several(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "FOLDER",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        string target = parsed.GetRequiredValue(_out);
        WritablePlace.RequireFolder(target);
        EvaluationOptions options = new() { BatchSize = parsed.GetValue(_batch), Examples = parsed.GetValue(_examples) };
        OnnxRuntimeOptions runtime = new OnnxRuntimeOptions { Warn = _terminal.Warn }.On(parsed.GetRequiredValue(_device));
        if (parsed.GetValue(_vistory) is { } stories)
        {
            Refuse(parsed, "with '--vistory'", _metrics, _references, _dreamBench, _prompts, _chat, _rubrics, _repeats, _batch, _examples);
            return Checked(() => new StoryEvaluation(_terminal, runtime).Run(
                stories, parsed.GetValue(_generated) ?? [], parsed.GetValue(_encoders) ?? [], target, parsed.GetValue(_json), cancel));
        }
        string[] names = parsed.GetValue(_metrics)?.Split(',', StringSplitOptions.TrimEntries)
            ?? throw new UsageException($"Option '--metrics' must name some of {string.Join(", ", Known)}.");
        if (names.FirstOrDefault(n => !Known.Contains(n)) is { } unknown)
        {
            throw new UsageException($"Option '--metrics' must name some of {string.Join(", ", Known)}, but names '{unknown}'.");
        }
        IReadOnlyList<EvaluationSystem> systems = Checked(() => Systems(parsed));
        if (names.FirstOrDefault(n => n is MetricNames.ClipT or MetricNames.PromptFollowing) is { } reader
            && systems.All(s => s.Items.All(i => i.Prompt is null)))
        {
            throw new UsageException($"Metric '{reader}' compares pictures with their prompts, but no picture has one: give '--prompts'.");
        }
        if (!names.Any(JudgedMetric.Known.Contains))
        {
            Refuse(parsed, "without a metric that asks a judge", _chat, _rubrics, _repeats);
        }
        string[] similar = [.. names.Where(n => !JudgedMetric.Known.Contains(n))];
        if (similar.Length == 0)
        {
            Refuse(parsed, "without a metric of an encoder", _encoders, _device);
        }
        using SimilarityMetrics? similarities = similar.Length == 0
            ? null
            : Checked(() => SimilarityMetrics.Open(similar, parsed.GetValue(_encoders) ?? [], runtime, options.BatchSize));
        using ScoringModel? model = names.Any(JudgedMetric.Known.Contains) ? ScoringModel.Open(parsed.GetValue(_chat)) : null;
        ScoreJudge? judge = model is null
            ? null
            : new(model.Client, new ScoreJudgeOptions { Name = model.Name, Repeats = parsed.GetValue(_repeats), Chat = model.Options });
        Rubrics? rubrics = parsed.GetValue(_rubrics) is { } texts ? Rubrics.Of(texts) : null;
        IPairMetric[] metrics =
        [
            .. names.Select(name => similarities?.Metrics.FirstOrDefault(m => m.Name == name)
                ?? (IPairMetric)JudgedMetric.Of(name, judge!, rubrics, model!.DependsOn)),
        ];
        ProgressLine<EvaluationProgress> line = new(
            _terminal, (p, _) => string.Create(CultureInfo.InvariantCulture, $"evaluating: {p.Done} of {p.All} pictures"));
        EvaluationResults results;
        try
        {
            results = await new EvaluationRun(metrics, systems, options) { Progress = line, Warn = _terminal.Warn }
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

    private IReadOnlyList<EvaluationSystem> Systems(ParseResult parsed)
    {
        string[] generated = parsed.GetValue(_generated) ?? [];
        if (parsed.GetValue(_dreamBench) is { Length: > 0 } benchmarks)
        {
            Refuse(parsed, "with '--dreambench', which brings its own", _references, _generated, _prompts);
            return [.. benchmarks.Select(folder => DreamBenchFolder.Open(folder).AsSystem())];
        }
        return parsed.GetValue(_references) is { } references && generated.Length > 0
            ? EvaluationFolders.Read(references, generated, parsed.GetValue(_prompts))
            : throw new UsageException("Give '--references' and '--generated', or '--dreambench'.");
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

    /// <summary>Nothing is accepted and then ignored.</summary>
    private static void Refuse(ParseResult parsed, string when, params ReadOnlySpan<Option> options)
    {
        foreach (Option option in options)
        {
            if (parsed.GetResult(option) is { Implicit: false })
            {
                throw new UsageException($"Option '{option.Name}' means nothing {when}: leave it out.");
            }
        }
    }

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
