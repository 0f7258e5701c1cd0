using System.Text.Json;
using Dsd.Common.Files;

namespace Dsd.Tools.Loop;

/// <summary>What is kept about a stage, in <c>stages/NAME.json</c> of the run's folder. It appears whole or not at all.</summary>
internal sealed record LoopRecord
{
    private const long MostBytes = 8 << 20;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>The command line, paths as the file's folder has them.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>What the result follows from: <see cref="LoopInputs"/>.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The part of <see cref="Fingerprint"/> that is what it reads.</summary>
    public required string Inputs { get; init; }

    /// <summary>When it was done; null where it was begun alone.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>How long its last call took.</summary>
    public double Seconds { get; init; }

    /// <summary>What it wrote, paths relative to the run's folder.</summary>
    public IReadOnlyList<string> Results { get; init; } = [];

    /// <summary>The record of a stage; null where there is none.</summary>
    /// <exception cref="IOException">It is none; the message says what to do.</exception>
    public static LoopRecord? Read(string root, string stage)
    {
        string file = FileOf(root, stage);
        if (!File.Exists(file))
        {
            return null;
        }
        IOException Refusal(string expected, string found) => new($"'{file}': expected {expected}, found {found}. Remove it, and the stage is done anew.");
        try
        {
            return JsonSerializer.Deserialize<LoopRecord>(SmallFile.Utf8(file, MostBytes, Refusal).Span, Json) ?? throw Refusal("a stage's record", "null");
        }
        catch (JsonException e)
        {
            throw Refusal("a stage's record", JsonFault.Of(e));
        }
    }

    /// <summary>Writes the record of a stage.</summary>
    public void Write(string root, string stage) => AtomicFile.Write(FileOf(root, stage), stream => JsonSerializer.Serialize(stream, this, Json));

    private static string FileOf(string root, string stage) => Path.Combine(root, LoopRun.Stages, $"{stage}.json");
}
