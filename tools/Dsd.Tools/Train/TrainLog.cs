using System.Text.Json;
using Dsd.Models.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.utils.tensorboard;

namespace Dsd.Tools.Train;

/// <summary>Writes <c>log.jsonl</c> and TensorBoard's event files. While it is open, no other process can train in the folder.</summary>
internal sealed class TrainLog : IProgress<TrainingProgress>, IDisposable
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private readonly FileStream _file;
    private readonly StreamWriter _writer;
    private readonly Device _device;
    private readonly IProgress<LogEntry> _told;
    private readonly string _events;
    private TorchSharp.Modules.SummaryWriter? _board;
    private TrainingProgress? _last;

    /// <summary>Opens the log.</summary>
    /// <param name="folder">The run's folder, which is there.</param>
    /// <param name="device">Whose memory is looked at.</param>
    /// <param name="told">Is told of each line.</param>
    /// <exception cref="IOException">It cannot be written, or another process has it open.</exception>
    public TrainLog(TrainFolder folder, Device device, IProgress<LogEntry> told)
    {
        (_device, _told, _events) = (device, told, folder.TensorBoard);
        try
        {
            _file = new FileStream(folder.Log, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (IOException e)
        {
            throw new IOException($"Cannot write '{folder.Log}': {e.Message.TrimEnd('.')}. Another process may be training in this folder.", e);
        }
        _writer = new StreamWriter(_file) { AutoFlush = true, NewLine = "\n" };
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        if (_last is null)
        {
            Begin(value.Began);
        }
        TrainingStatus status = TrainingStatus.Of(value, _last, _device);
        LogEntry entry = new(
            value.Step, Finite(value.Loss), Finite(value.GradientNorm), value.Skipped, Math.Round(value.Elapsed.TotalSeconds, 4),
            Math.Round(status.SecondsPerStep, 6), value.ValidationLoss is { } v ? Finite(v) : null, status.MemoryBytes);
        _last = value;
        _writer.WriteLine(JsonSerializer.Serialize(entry, Json));
        Board(entry);
        _told.Report(entry);

        static float? Finite(float number) => float.IsFinite(number) ? number : null;
    }

    /// <summary>The lines of a log, also of earlier processes.</summary>
    public static IReadOnlyList<LogEntry> Read(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return Read(stream);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
    }

    private static List<LogEntry> Read(Stream stream)
    {
        using StreamReader reader = new(stream, leaveOpen: true);
        List<LogEntry> entries = [];
        while (reader.ReadLine() is { } line)
        {
            try
            {
                entries.Add(JsonSerializer.Deserialize<LogEntry>(line, Json)!);
            }
            catch (JsonException)
            {
                // Half a line of a process that was killed.
            }
        }
        return entries;
    }

    /// <summary>Takes out the lines of steps that are taken again, since no checkpoint has them.</summary>
    private void Begin(long began)
    {
        _file.Position = 0;
        List<LogEntry> kept = [.. Read(_file).Where(e => e.Step <= began)];
        _file.SetLength(0);
        foreach (LogEntry entry in kept)
        {
            _writer.WriteLine(JsonSerializer.Serialize(entry, Json));
        }
        _board = SummaryWriter(_events);
    }

    private void Board(LogEntry entry)
    {
        (string Tag, double? Value)[] values =
        [
            ("loss", entry.Loss), ("gradient_norm", entry.GradientNorm), ("validation_loss", entry.ValidationLoss),
            ("seconds_per_step", entry.SecondsPerStep), ("memory_gib", entry.MemoryBytes / (double)(1L << 30)), ("skipped", entry.Skipped),
        ];
        foreach ((string tag, double? value) in values)
        {
            if (value is { } number)
            {
                _board!.add_scalar(tag, (float)number, (int)Math.Min(int.MaxValue, entry.Step));
            }
        }
    }
}
