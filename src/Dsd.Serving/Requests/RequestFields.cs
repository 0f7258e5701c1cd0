using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dsd.Serving.Requests;

/// <summary>The fields of a request's body, JSON or a multipart form, each used once: what nobody asks for is refused.</summary>
internal sealed class RequestFields
{
    private const int MostFields = 64;

    private readonly Dictionary<string, string> _texts;
    private readonly HashSet<string> _used = [];

    private RequestFields(Dictionary<string, string> texts, IReadOnlyList<ReadOnlyMemory<byte>> images) => (_texts, Images) = (texts, images);

    /// <summary>The files of the fields <c>image</c> and <c>image[]</c>.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Images { get; }

    /// <summary>Reads a JSON object whose values are texts, numbers and switches.</summary>
    public static async Task<RequestFields> ReadJsonAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasJsonContentType())
        {
            throw new ApiException(
                StatusCodes.Status415UnsupportedMediaType, "The body must be JSON: send 'Content-Type: application/json'.", code: "unsupported_media_type");
        }
        try
        {
            JsonDocumentOptions options = new() { MaxDepth = 8 };
            using JsonDocument body = await JsonDocument.ParseAsync(request.Body, options, cancellationToken).ConfigureAwait(false);
            if (body.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new ApiException(StatusCodes.Status400BadRequest, "The body must be a JSON object.", code: "invalid_json");
            }
            Dictionary<string, string> texts = [];
            foreach (JsonProperty field in body.RootElement.EnumerateObject())
            {
                string? text = field.Value.ValueKind switch
                {
                    JsonValueKind.Null => null,
                    JsonValueKind.String => field.Value.GetString(),
                    JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => field.Value.GetRawText(),
                    _ => throw new ApiException(StatusCodes.Status400BadRequest, "It must be a text, a number, true or false.", field.Name),
                };
                if (text is not null && !texts.TryAdd(field.Name, text))
                {
                    throw Twice(field.Name);
                }
            }
            return new RequestFields(texts, []);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Half of a surrogate pair in a text is no text.
            throw new ApiException(StatusCodes.Status400BadRequest, $"The body is no valid JSON: {e.Message}", code: "invalid_json");
        }
    }

    /// <summary>Reads a multipart form.</summary>
    /// <param name="request">The request.</param>
    /// <param name="mostBytes">The largest body. All of it is held in memory: a reference is not left on a disk.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<RequestFields> ReadFormAsync(HttpRequest request, int mostBytes, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType || request.ContentType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) != true)
        {
            throw new ApiException(
                StatusCodes.Status415UnsupportedMediaType, "The body must be a form with files: send 'Content-Type: multipart/form-data'.",
                code: "unsupported_media_type");
        }
        try
        {
            IFormCollection form = await new FormFeature(request, new FormOptions
            {
                MemoryBufferThreshold = mostBytes,
                MultipartBodyLengthLimit = mostBytes,
                ValueLengthLimit = Math.Min(mostBytes, 4 << 20),
                ValueCountLimit = MostFields,
                KeyLengthLimit = 256,
            }).ReadFormAsync(cancellationToken).ConfigureAwait(false);
            Dictionary<string, string> texts = [];
            foreach ((string name, var values) in form)
            {
                texts[name] = values.Count == 1 ? values.ToString() : throw Twice(name);
            }
            List<ReadOnlyMemory<byte>> images = [];
            foreach (IFormFile file in form.Files)
            {
                if (file.Name is not ("image" or "image[]"))
                {
                    throw new ApiException(
                        StatusCodes.Status400BadRequest, $"There is no file '{file.Name}': the reference is 'image', and nothing else is taken as a file.",
                        file.Name, "unknown_parameter");
                }
                byte[] bytes = new byte[file.Length];
                using Stream stream = file.OpenReadStream();
                await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
                images.Add(bytes);
            }
            return new RequestFields(texts, images);
        }
        catch (InvalidDataException e)
        {
            throw new ApiException(StatusCodes.Status400BadRequest, $"The form cannot be read: {e.Message}", code: "invalid_form");
        }
    }

    /// <summary>A text; null where there is none.</summary>
    public string? Text(string name)
    {
        _used.Add(name);
        return _texts.GetValueOrDefault(name);
    }

    /// <summary>A whole number; null where there is none.</summary>
    public long? Whole(string name) => Text(name) is not { } text
        ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw Wrong(name, "a whole number", text);

    /// <summary>A number; null where there is none.</summary>
    public double? Number(string name) => Text(name) is not { } text
        ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? number
            : throw Wrong(name, "a number", text);

    /// <summary>A switch; false where there is none.</summary>
    public bool Switch(string name) => Text(name) is { } text && (text is "true" || (text is "false" ? false : throw Wrong(name, "true or false", text)));

    /// <summary>Refuses a field that may only have some words, or be left out.</summary>
    public void Only(string name, string why, params string[] words)
    {
        if (Text(name) is { } text && !words.Contains(text))
        {
            string allowed = words.Length == 0 ? "It is not taken here." : $"It can only be {string.Join(" or ", words)}, but is '{Short(text)}'.";
            throw new ApiException(StatusCodes.Status400BadRequest, $"Field '{name}': {allowed} {why}", name, "unsupported_value");
        }
    }

    /// <summary>Refuses fields that nobody asked for.</summary>
    public void RequireAllUsed()
    {
        if (_texts.Keys.FirstOrDefault(name => !_used.Contains(name)) is { } unknown)
        {
            throw new ApiException(
                StatusCodes.Status400BadRequest, $"There is no field '{Short(unknown)}'. Known are {string.Join(", ", _used.Order(StringComparer.Ordinal))}.",
                Short(unknown), "unknown_parameter");
        }
    }

    /// <summary>A value that a field cannot have.</summary>
    public static ApiException Wrong(string name, string expected, string found) =>
        new(StatusCodes.Status400BadRequest, $"Field '{name}' must be {expected}, but is '{Short(found)}'.", name);

    private static string Short(string text) => text.Length > 60 ? text[..60] + "…" : text;

    private static ApiException Twice(string name) => new(StatusCodes.Status400BadRequest, $"Field '{Short(name)}' is there more than once.", Short(name));
}
