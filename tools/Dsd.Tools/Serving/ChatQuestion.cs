using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Dsd.Tools.Serving;

/// <summary>A request to a chat server.</summary>
/// <param name="Number">Which, from 0, in the order of arrival.</param>
/// <param name="At">When it arrived, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> tells it.</param>
/// <param name="Headers">Its headers by small-lettered name.</param>
/// <param name="Body">What was sent.</param>
internal sealed record ChatQuestion(int Number, long At, IReadOnlyDictionary<string, string> Headers, JsonElement Body)
{
    /// <summary>The model asked for.</summary>
    public string Model => Body.TryGetProperty("model", out JsonElement model) ? model.GetString() ?? "" : "";

    /// <summary>Whether the answer is to come as a stream.</summary>
    public bool Stream => Body.TryGetProperty("stream", out JsonElement stream) && stream.ValueKind == JsonValueKind.True;

    /// <summary>The texts of a role, in order.</summary>
    public IReadOnlyList<string> Texts(string role) => [.. Parts(role).Where(p => p.Kind == "text").Select(p => p.Value)];

    /// <summary>The pictures that the user sent, in order, with what they are.</summary>
    public IReadOnlyList<DataContent> Pictures => [.. Parts("user").Where(p => p.Kind == "image_url").Select(p => new DataContent(p.Value))];

    private IEnumerable<(string Kind, string Value)> Parts(string role)
    {
        foreach (JsonElement message in Body.GetProperty("messages").EnumerateArray().Where(m => m.GetProperty("role").GetString() == role))
        {
            JsonElement content = message.GetProperty("content");
            if (content.ValueKind == JsonValueKind.String)
            {
                yield return ("text", content.GetString()!);
                continue;
            }
            foreach (JsonElement part in content.EnumerateArray())
            {
                string kind = part.GetProperty("type").GetString()!;
                yield return (kind, kind == "text" ? part.GetProperty("text").GetString()! : part.GetProperty("image_url").GetProperty("url").GetString()!);
            }
        }
    }
}
