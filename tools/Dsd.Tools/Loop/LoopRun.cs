using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dsd.Common.Files;

namespace Dsd.Tools.Loop;

/// <summary>Does the stages of a plan that are not done, one after another.</summary>
/// <param name="terminal">Where it tells what it does.</param>
/// <param name="plan">The stages.</param>
/// <param name="command">Runs a stage's command.</param>
internal sealed class LoopRun(Terminal terminal, LoopPlan plan, ILoopCommand command)
{
    /// <summary>The folder of the stages' records, in the run's folder.</summary>
    public const string Stages = "stages";

    private const string Earlier = "earlier";

    /// <summary>What each stage would do, without doing it.</summary>
    /// <param name="selected">The stages that were asked for.</param>
    public IReadOnlyList<LoopOutcome> Look(IReadOnlyList<LoopStage> selected)
    {
        List<LoopStage> open = [];
        List<LoopOutcome> outcomes = [];
        foreach (LoopStage stage in plan.Stages)
        {
            LoopRecord? record = Record(stage);
            bool done = !open.Any(stage.Reads) && IsDone(stage, record, LoopInputs.Fingerprint(stage, plan.Stages, Record).All);
            if (!done)
            {
                open.Add(stage);
            }
            outcomes.Add(Outcome(stage, !selected.Contains(stage) ? LoopOutcome.LeftOut : done ? LoopOutcome.DoneBefore : LoopOutcome.ToDo, record));
        }
        return outcomes;
    }

    /// <summary>Does the stages.</summary>
    /// <param name="selected">The stages that were asked for.</param>
    /// <param name="cancel">Stops the stage under way, which the next call goes on with.</param>
    /// <returns>What became of each, and the exit code: that of the stage that failed, if one did.</returns>
    /// <exception cref="IOException">The run's folder cannot be written, or another process works in it.</exception>
    public async Task<(IReadOnlyList<LoopOutcome> Outcomes, int ExitCode)> RunAsync(IReadOnlyList<LoopStage> selected, CancellationToken cancel)
    {
        WritablePlace.RequireFolder(plan.Root);
        string records = Path.Combine(plan.Root, Stages);
        Directory.CreateDirectory(records);
        using FileStream held = Lock(Path.Combine(records, "run.lock"));
        AtomicFile.RemoveHalfWritten(records);
        List<LoopOutcome> outcomes = [];
        foreach (LoopStage stage in plan.Stages)
        {
            if (!selected.Contains(stage))
            {
                outcomes.Add(Outcome(stage, LoopOutcome.LeftOut, Record(stage)));
                continue;
            }
            LoopRecord? before = Record(stage);
            (string fingerprint, string inputs) = LoopInputs.Fingerprint(stage, plan.Stages, Record);
            if (IsDone(stage, before, fingerprint))
            {
                terminal.Error.WriteLine($"run: {stage.Name} is done");
                outcomes.Add(Outcome(stage, LoopOutcome.DoneBefore, before));
                continue;
            }
            int exitCode = await DoAsync(stage, before, fingerprint, inputs, cancel).ConfigureAwait(false);
            if (exitCode != ExitCode.Done)
            {
                terminal.Error.WriteLine(cancel.IsCancellationRequested
                    ? $"run: stopped in {stage.Name}. The same command goes on from there."
                    : $"run: {stage.Name} ended with exit code {exitCode}. When its fault is mended, the same command goes on from there.");
                return (outcomes, exitCode);
            }
            outcomes.Add(Outcome(stage, LoopOutcome.Done, Record(stage)));
        }
        return (outcomes, ExitCode.Done);
    }

    /// <summary>A command line as a shell takes it.</summary>
    public static string Shell(IEnumerable<string> arguments) => string.Join(' ', arguments.Prepend("dsd").Select(a =>
        a.Length > 0 && a.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:,=~+@%".Contains(c, StringComparison.Ordinal))
            ? a
            : $"'{a.Replace("'", "'\\''", StringComparison.Ordinal)}'"));

    private async Task<int> DoAsync(LoopStage stage, LoopRecord? before, string fingerprint, string inputs, CancellationToken cancel)
    {
        bool again = before?.Fingerprint == fingerprint;
        bool goesOn = again || stage.Section.Resume == LoopResume.Always
            || (stage.Section.Resume == LoopResume.SameInputs && before?.Inputs == inputs);
        if (before is not null && !goesOn)
        {
            SetAside(stage);
        }
        LoopRecord record = new() { Command = stage.Written, Fingerprint = fingerprint, Inputs = inputs };
        record.Write(plan.Root, stage.Name);
        // Cut off between its last file and its record, a stage finds what it wrote itself.
        List<string> arguments = [.. stage.Arguments];
        if (again && stage.Section.HasOverwrite && !arguments.Contains("--overwrite"))
        {
            arguments.Add("--overwrite");
        }
        terminal.Error.WriteLine($"run: {Shell(arguments)}");
        Stopwatch watch = Stopwatch.StartNew();
        Told told = new(terminal.Error);
        int exitCode = await command.RunAsync(arguments, told, cancel).ConfigureAwait(false);
        if (exitCode != ExitCode.Done || cancel.IsCancellationRequested)
        {
            return exitCode == ExitCode.Done ? ExitCode.Failed : exitCode;
        }
        string[] results = [.. told.Lines.Where(l => l.Length > 0 && Path.Exists(l)).DefaultIfEmpty(stage.Out).Select(InRoot)];
        (record with { Finished = DateTimeOffset.UtcNow, Seconds = watch.Elapsed.TotalSeconds, Results = results }).Write(plan.Root, stage.Name);
        terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"run: {stage.Name} took {watch.Elapsed.TotalSeconds:0.0} s"));
        return ExitCode.Done;
    }

    private LoopRecord? Record(LoopStage stage) => LoopRecord.Read(plan.Root, stage.Name);

    private bool IsDone(LoopStage stage, LoopRecord? record, string fingerprint) =>
        record is { Finished: not null } && record.Fingerprint == fingerprint && Path.Exists(stage.Result)
            && record.Results.All(r => Path.Exists(Path.Combine(plan.Root, r)));

    private LoopOutcome Outcome(LoopStage stage, string state, LoopRecord? record) =>
        new(stage.Name, state, Shell(stage.Arguments), record?.Seconds ?? 0, [.. record?.Results.Select(r => Path.Combine(plan.Root, r)) ?? []]);

    private string InRoot(string path) => Path.GetRelativePath(plan.Root, path);

    /// <summary>What an earlier call wrote from other inputs is kept, out of the way.</summary>
    private void SetAside(LoopStage stage)
    {
        if (!Path.Exists(stage.Out))
        {
            return;
        }
        string folder = Directory.CreateDirectory(Path.Combine(plan.Root, Earlier)).FullName;
        int number = 1;
        string Place() => Path.Combine(folder, $"{stage.Name}-{number}{Path.GetExtension(stage.Out)}");
        while (Path.Exists(Place()))
        {
            number++;
        }
        Directory.Move(stage.Out, Place());
        terminal.Error.WriteLine(
            $"run: what {stage.Name} is made of has changed. Its earlier result now lies in '{Path.Combine(plan.Root, InRoot(Place()))}'.");
    }

    private static FileStream Lock(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"Cannot run in '{Path.GetDirectoryName(Path.GetDirectoryName(file))}': another 'dsd run' works in it.", e);
        }
    }

    // The result of a stage is progress of the run, and names the files that it wrote.
    private sealed class Told(TextWriter writer) : TextWriter
    {
        private readonly StringBuilder _line = new();
        private readonly Lock _gate = new();

        public List<string> Lines { get; } = [];

        public override Encoding Encoding => writer.Encoding;

        public override void Write(char value)
        {
            lock (_gate)
            {
                if (value == '\n')
                {
                    string line = _line.ToString().TrimEnd('\r');
                    _line.Clear();
                    Lines.Add(line);
                    writer.WriteLine(line);
                }
                else
                {
                    _line.Append(value);
                }
            }
        }
    }
}
