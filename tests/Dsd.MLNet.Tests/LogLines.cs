using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet.Tests;

/// <summary>What a context's log was told, by kind.</summary>
internal sealed class LogLines
{
    private readonly List<(ChannelMessageKind Kind, string Text)> _lines = [];

    public LogLines(MLContext ml) => ml.Log += (_, e) =>
    {
        lock (_lines)
        {
            _lines.Add((e.Kind, e.RawMessage));
        }
    };

    public IReadOnlyList<string> Infos => Of(ChannelMessageKind.Info);

    public IReadOnlyList<string> Warnings => Of(ChannelMessageKind.Warning);

    private string[] Of(ChannelMessageKind kind)
    {
        lock (_lines)
        {
            return [.. _lines.Where(l => l.Kind == kind).Select(l => l.Text)];
        }
    }
}
