using System.Globalization;
using System.Text.RegularExpressions;
using Dsd.Extensions.AI;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace Dsd.Serving.Requests;

/// <summary>What a request asks for, in the generator's terms.</summary>
/// <param name="Request">Prompt and reference.</param>
/// <param name="Options">How it is drawn.</param>
/// <param name="Format">The format's name: png, jpeg or webp.</param>
/// <param name="Streams">Whether events are sent while it is drawn.</param>
internal sealed partial record DrawRequest(ImageGenerationRequest Request, ImageGenerationOptions Options, string Format, bool Streams)
{
    private const int MostPreviews = 3;
    private const int MostPagePreviews = 16;

    /// <summary>Reads a request of OpenAI's shape, with what else the generator knows.</summary>
    public static DrawRequest OfOpenAI(RequestFields fields, bool edits)
    {
        fields.Only("response_format", "Pictures come in the answer: nothing is kept here that an address could lead to.", "b64_json");
        fields.Only("quality", "What a picture costs is 'steps'.", "auto");
        fields.Only("background", "Pictures have no transparency.", "auto", "opaque");
        fields.Only("moderation", "Nothing is moderated here.", "auto", "low");
        fields.Only("style", "Say it in the prompt.");
        fields.Only("mask", "The model draws whole pictures.");
        fields.Only("input_fidelity", "How close a picture stays to the reference is 'image_guidance'.");
        // A name that callers give their own users, for logs of the service: it says nothing of the picture.
        fields.Text("user");
        bool streams = fields.Switch("stream");
        long previews = fields.Whole("partial_images") ?? 0;
        if (previews is < 0 or > MostPreviews || (previews > 0 && !streams))
        {
            throw new ApiException(
                StatusCodes.Status400BadRequest,
                previews is < 0 or > MostPreviews
                    ? $"Field 'partial_images' must lie between 0 and {MostPreviews}, but is {previews}."
                    : "Field 'partial_images' is for answers with events: set 'stream' to true, or leave it out.",
                "partial_images");
        }
        if (edits && fields.Images.Count == 0)
        {
            throw new ApiException(StatusCodes.Status400BadRequest, "There is no reference: send a file as 'image'.", "image", "missing_required_parameter");
        }
        return Of(fields, (int)previews, streams);
    }

    /// <summary>Reads a request of the page.</summary>
    public static DrawRequest OfPage(RequestFields fields)
    {
        long previews = fields.Whole("previews") ?? 0;
        return previews is >= 0 and <= MostPagePreviews
            ? Of(fields, (int)previews, true)
            : throw RequestFields.Wrong("previews", $"between 0 and {MostPagePreviews}", previews.ToString(CultureInfo.InvariantCulture));
    }

    private static DrawRequest Of(RequestFields fields, int previews, bool streams)
    {
        string prompt = fields.Text("prompt")
            ?? throw new ApiException(StatusCodes.Status400BadRequest, "There is no prompt: send a text as 'prompt'.", "prompt", "missing_required_parameter");
        string format = fields.Text("output_format") ?? "png";
        ImageGenerationOptions options = new()
        {
            ModelId = fields.Text("model"),
            ImageSize = Size(fields.Text("size")),
            MediaType = $"image/{format}",
            StreamingCount = previews == 0 ? null : previews,
        };
        long count = fields.Whole("n") ?? 1;
        options.Count = count is >= int.MinValue and <= int.MaxValue
            ? (int)count
            : throw RequestFields.Wrong("n", "a number of pictures", count.ToString(CultureInfo.InvariantCulture));
        Set(DsdImageProperties.Seed, fields.Whole("seed"));
        Set(DsdImageProperties.Steps, fields.Whole("steps"));
        Set(DsdImageProperties.UnguidedSteps, fields.Whole("unguided_steps"));
        Set(DsdImageProperties.Guidance, fields.Number("guidance"));
        Set(DsdImageProperties.ImageGuidance, fields.Number("image_guidance"));
        Set(DsdImageProperties.TextGuidance, fields.Number("text_guidance"));
        Set(DsdImageProperties.EncodingQuality, fields.Whole("output_compression"));
        fields.RequireAllUsed();
        return new DrawRequest(new ImageGenerationRequest(prompt, [.. fields.Images.Select(Reference)]), options, format, streams);

        void Set<T>(string key, T? value)
            where T : struct
        {
            if (value is { } given)
            {
                options.With(key, given);
            }
        }
    }

    // What it really is, its content decides.
    private static DataContent Reference(ReadOnlyMemory<byte> bytes) => new(bytes, "image/png");

    private static System.Drawing.Size? Size(string? text)
    {
        if (text is null or "auto")
        {
            return null;
        }
        Match match = SizeForm().Match(text);
        return match.Success
            ? new System.Drawing.Size(Side(1), Side(2))
            : throw RequestFields.Wrong("size", "auto or of the form 512x512", text);

        int Side(int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^([0-9]{1,5})x([0-9]{1,5})\z")]
    private static partial Regex SizeForm();
}
