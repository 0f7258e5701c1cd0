using System.CommandLine;
using System.Globalization;
using Dsd.Common.Files;
using Dsd.Evaluation.Agreement;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Benchmarks.InContext;
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
        Description = "Prompts, for clip-t and pf: a JSON object by picture or subject, or a folder of .txt files that are named so.",
        HelpName = "FILE|FOLDER",
    };
    private readonly Option<string?> _omniContext = Items("--omnicontext", "OmniContext");
    private readonly Option<string?> _osBench = Items("--osbench", "OSBench");
    private readonly ScoringOptions _judges = new();
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
            evaluate._metrics, evaluate._references, evaluate._generated, evaluate._prompts, evaluate._dreamBench, evaluate._omniContext, evaluate._osBench,
            evaluate._vistory, evaluate._encoders, evaluate._device, evaluate._out, evaluate._batch, evaluate._examples, evaluate._json,
        };
        evaluate._judges.AddTo(command);
        command.SetAction((parsed, cancel) => Task.Run(() => evaluate.RunAsync(parsed, cancel), cancel));
        return command;
    }

    private static Option<string?> Items(string name, string benchmark) => new(name)
    {
        Description = $"A file of {benchmark}'s items as JSON lines, in place of '--metrics' and '--references': PF, SC and √(PF · SC) of each '--generated', "
            + "a folder with fullset/TASK/KEY.png.",
        HelpName = "FILE.jsonl",
    };

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
            Refuse(
                parsed, "with '--vistory'",
                [_metrics, _references, _dreamBench, _omniContext, _osBench, _prompts, .. _judges.All, _batch, _examples]);
            return Checked(() => new StoryEvaluation(_terminal, runtime).Run(
                stories, parsed.GetValue(_generated) ?? [], parsed.GetValue(_encoders) ?? [], target, parsed.GetValue(_json), cancel));
        }
        if ((parsed.GetValue(_omniContext) ?? parsed.GetValue(_osBench)) is { } items)
        {
            ContextBenchmark benchmark = parsed.GetValue(_omniContext) is null ? ContextBenchmark.OSBench : ContextBenchmark.OmniContext;
            Refuse(
                parsed, $"with '{(benchmark == ContextBenchmark.OSBench ? _osBench : _omniContext).Name}', which brings its own metrics and pictures",
                [_metrics, _references, _dreamBench, _prompts, _encoders, _device, .. benchmark == ContextBenchmark.OSBench ? [] : new Option[] { _osBench }]);
            IReadOnlyList<EvaluationSystem> drawn = InContext(benchmark, items, parsed.GetValue(_generated) ?? []);
            using ScoringJudges asked = _judges.Open(parsed);
            return await RunAsync(parsed, target, asked.Metrics((judge, rubrics, dependsOn, several) =>
                JudgedMetric.Of(benchmark, judge, rubrics, dependsOn, several)), drawn, options, cancel).ConfigureAwait(false);
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
            Refuse(parsed, "without a metric that asks a judge", [.. _judges.All]);
        }
        string[] similar = [.. names.Where(n => !JudgedMetric.Known.Contains(n))];
        if (similar.Length == 0)
        {
            Refuse(parsed, "without a metric of an encoder", _encoders, _device);
        }
        using SimilarityMetrics? similarities = similar.Length == 0
            ? null
            : Checked(() => SimilarityMetrics.Open(similar, parsed.GetValue(_encoders) ?? [], runtime, options.BatchSize));
        using ScoringJudges? judges = names.Any(JudgedMetric.Known.Contains) ? _judges.Open(parsed) : null;
        IPairMetric[] metrics =
        [
            .. names.SelectMany(name => similarities?.Metrics.FirstOrDefault(m => m.Name == name) is { } similarity
                ? [similarity]
                : judges!.Metrics((judge, rubrics, dependsOn, several) => [JudgedMetric.Of(name, judge, rubrics, dependsOn, several)])),
        ];
        return await RunAsync(parsed, target, metrics, systems, options, cancel).ConfigureAwait(false);
    }

    private async Task<int> RunAsync(
        ParseResult parsed, string target, IReadOnlyList<IPairMetric> metrics, IReadOnlyList<EvaluationSystem> systems, EvaluationOptions options,
        CancellationToken cancel)
    {
        ProgressLine<EvaluationProgress> line = new(
            _terminal, (p, _) => string.Create(CultureInfo.InvariantCulture, $"evaluating: {p.Done} of {p.All} pictures"));
        EvaluationResults results;
        try
        {
            results = await Checked(() => new EvaluationRun(metrics, systems, options) { Progress = line, Warn = _terminal.Warn })
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

    private IReadOnlyList<EvaluationSystem> InContext(ContextBenchmark benchmark, string items, string[] generated)
    {
        if (generated.Length == 0)
        {
            throw new UsageException("Give '--generated': the folders of systems, with 'fullset/TASK/KEY.png' in each.");
        }
        return
        [
            .. generated.Select(system =>
            {
                ContextFolder folder = ContextFolder.Open(items, system);
                EvaluationSystem drawn = folder.AsSystem(benchmark);
                if (folder.Missing.Count > 0)
                {
                    string some = string.Join(", ", folder.Missing.Take(5));
                    _terminal.Warn($"'{system}' has no picture of {folder.Missing.Count} items, which do not count: {some}.");
                }
                return drawn;
            }),
        ];
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
            : throw new UsageException("Give '--references' and '--generated', or '--dreambench', '--omnicontext' or '--osbench'.");
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
        WriteBenchmarks(results.Benchmarks);
        WriteAgreement(results.Agreement);

        void Row(string metric, string system, ScoreSummary summary) => table.AddRow(
            Markup.Escape(Printable.Line(metric)), Markup.Escape(Printable.Line(system)), Number(summary.Mean),
            $"{Number(summary.Low)} to {Number(summary.High)}",
            summary.Pictures.ToString("N0", CultureInfo.InvariantCulture));
    }

    private void WriteBenchmarks(IReadOnlyList<BenchmarkResult> benchmarks)
    {
        if (benchmarks.Count == 0)
        {
            return;
        }
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns("benchmark", "system", "judge", "figure", "of", "value", "deviation", "95 % interval");
        table.AddColumn(new TableColumn("items") { Alignment = Justify.Right });
        foreach ((BenchmarkResult result, BenchmarkFigure figure) in benchmarks.SelectMany(b => b.Figures.Select(f => (b, f))))
        {
            table.AddRow(
                result.Benchmark, Markup.Escape(Printable.Line(result.System)), Markup.Escape(Printable.Line(result.Judge)), figure.Figure,
                Markup.Escape(Printable.Line(figure.Of)), Number(figure.Value), figure.Deviation is null ? "" : Number(figure.Deviation),
                figure.Low is null ? "" : $"{Number(figure.Low)} to {Number(figure.High)}", figure.Items.ToString("N0", CultureInfo.InvariantCulture));
        }
        _terminal.Results.Write(table);
    }

    private void WriteAgreement(IReadOnlyList<JudgeAgreement> agreement)
    {
        if (agreement.Count == 0)
        {
            return;
        }
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns("agreement on", "judges", "alpha, nominal", "alpha, ordinal", "alpha, interval", "Spearman");
        table.AddColumn(new TableColumn("units") { Alignment = Justify.Right });
        foreach (JudgeAgreement pair in agreement)
        {
            table.AddRow(
                pair.Metric, Markup.Escape(Printable.Line($"{pair.First} and {pair.Second}")), Number(pair.Nominal), Number(pair.Ordinal),
                Number(pair.Interval), Number(pair.Spearman), pair.Units.ToString("N0", CultureInfo.InvariantCulture));
        }
        _terminal.Results.Write(table);
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
