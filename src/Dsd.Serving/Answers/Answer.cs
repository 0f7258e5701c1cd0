using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Extensions.AI;
using Dsd.Serving.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace Dsd.Serving.Answers;

/// <summary>The JSON of answers.</summary>
internal static class Answer
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static async Task WriteAsync<T>(HttpContext context, T value, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        await JsonSerializer.SerializeAsync(context.Response.Body, value, Json, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>An error as OpenAI's clients read it.</summary>
    public static object Error(ApiException e) => new { error = new ErrorBody(e.Message, e.Type, e.Param, e.Code) };

    /// <summary>A picture: its bytes become base64.</summary>
    public static PictureBody Picture(AIContent content) => content is DataContent data
        ? new PictureBody(data.Data, data.AdditionalProperties?.TryGetValue(DsdImageProperties.Seed, out object? seed) == true ? seed as long? : null)
        : throw new InvalidOperationException($"The generator gave {content.GetType().Name} where a picture's data was expected.");

    public sealed record PictureBody(
        [property: JsonPropertyName("b64_json")] ReadOnlyMemory<byte> Bytes, long? Seed);

    private sealed record ErrorBody(
        string Message,
        string Type,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
        string Code);
}
