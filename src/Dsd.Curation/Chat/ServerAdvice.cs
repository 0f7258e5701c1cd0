using System.Text.RegularExpressions;

namespace Dsd.Curation.Chat;

/// <summary>Which setting to change when a server refuses: by the status, and by what it said.</summary>
internal static partial class ServerAdvice
{
    /// <summary>One sentence with a space before it; nothing where there is none to give.</summary>
    /// <param name="endpoint">What was asked.</param>
    /// <param name="hasKey">Whether a key was sent.</param>
    /// <param name="code">The status.</param>
    /// <param name="said">What the server said.</param>
    public static string Of(ChatEndpoint endpoint, bool hasKey, int code, string said)
    {
        bool Says(params ReadOnlySpan<string> words)
        {
            foreach (string word in words)
            {
                if (said.Contains(word, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
            return false;
        }
        string advice = code switch
        {
            200 => Address(endpoint),
            401 or 403 when !hasKey =>
                $"No key was sent: {Setting("key_variable", nameof(ChatEndpoint.KeyVariable))} names the environment variable that holds it.",
            401 =>
                $"The server refuses the key: check what the variable '{endpoint.KeyVariable}' holds, "
                + $"and whether the server wants it under another header ({Setting("key_header", nameof(ChatEndpoint.KeyHeader))}).",
            403 =>
                $"The server refuses the key, or this question. Check the key in '{endpoint.KeyVariable}', "
                + $"and whether it may use the model '{endpoint.Model}'.",
            402 => "The account has no credit.",
            404 or 405 when Says("image", "vision", "multimodal") => Pictures(endpoint),
            404 or 405 => Address(endpoint),
            413 => Smaller(),
            408 or 504 =>
                $"If the model needs longer, raise the server's limit of time; {Setting("concurrency", nameof(ChatLimits.Concurrency))} lower may help too.",
            429 =>
                $"If that is too much for the server, set {Setting("requests_per_minute", nameof(ChatLimits.RequestsPerMinute))} or a lower "
                + $"{Setting("concurrency", nameof(ChatLimits.Concurrency))}.",
            400 or 422 when Says("response_format", "json_schema", "json_object", "guided", "grammar", "structured output") => Form(endpoint.AnswerForm, said),
            400 or 422 when Seed().IsMatch(said) =>
                $"If the server does not know seeds, set {Setting("send_seed", nameof(ChatEndpoint.SendSeed))} of its endpoint to false.",
            400 or 422 when Says(
                "context length",
                "context_length",
                "maximum context",
                "context size",
                "context window",
                "too many tokens",
                "n_ctx",
                "too large",
                "too long") => Smaller(),
            400 or 422 when Says("temperature") => $"If the model takes no temperature, leave out {Setting("temperature", "Temperature")}.",
            400 or 422 when Says("max_completion_tokens", "max_tokens") =>
                $"If that is about the length of answers, change or leave out {Setting("max_output_tokens", "MaxOutputTokens")}.",
            400 or 422 or 500 or 501 when Says("image", "vision", "multimodal", "mmproj") => Pictures(endpoint),
            400 or 422 when Says("model") => $"Check the model's name, '{endpoint.Model}' ({Setting("model", nameof(ChatEndpoint.Model))}).",
            _ => "",
        };
        return advice.Length == 0 ? "" : $" {advice}";
    }

    private static string Form(AnswerForm now, string said)
    {
        // LM Studio knows schemas and words, but no 'json_object'; others know that and no schemas.
        bool knowsSchemas = said.Contains("must be 'json_schema'", StringComparison.OrdinalIgnoreCase);
        string? other = now switch
        {
            AnswerForm.JsonSchema when !knowsSchemas =>
                $"If the server does not know JSON schemas, set {Where} to {AnswerForm.JsonObject} or {AnswerForm.Words} (json_object or words in a file).",
            AnswerForm.JsonSchema => $"If the server does not take this schema, set {Where} to {AnswerForm.Words} (words in a file).",
            AnswerForm.JsonObject =>
                $"If the server does not know 'json_object', set {Where} to {AnswerForm.JsonSchema} or {AnswerForm.Words} (json_schema or words in a file).",
            _ => null,
        };
        return other ?? "";
    }

    private static string Address(ChatEndpoint endpoint) => endpoint.Address.AbsolutePath.TrimEnd('/').Length == 0
        ? $"The address has no path, and most servers' protocol begins at /v1: try '{new Uri(endpoint.Address, "/v1")}' as "
            + $"{Setting("address", nameof(ChatEndpoint.Address))}."
        : $"Check {Setting("address", nameof(ChatEndpoint.Address))}, which is where the protocol begins and usually ends in /v1, "
            + $"and {Setting("model", nameof(ChatEndpoint.Model))}, which is '{endpoint.Model}'.";

    private static string Pictures(ChatEndpoint endpoint) =>
        $"Does '{endpoint.Model}' take pictures? If not, name a vision-language model as {Setting("model", nameof(ChatEndpoint.Model))}.";

    private static string Smaller() =>
        "The question is too large: send smaller pictures (max_image_side, or MaxImageSide in code; format jpeg for less bytes), or raise the server's limit.";

    // As it stands in a file, and in code.
    private static string Setting(string file, string code) => $"{file} ({code} in code)";

    private static string Where => Setting("answer_form", nameof(ChatEndpoint.AnswerForm));

    [GeneratedRegex(@"\bseed\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Seed();
}
