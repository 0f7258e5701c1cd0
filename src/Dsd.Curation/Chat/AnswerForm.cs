namespace Dsd.Curation.Chat;

/// <summary>How a server learns what form an answer must have. The answer is read just as strictly in each case.</summary>
public enum AnswerForm
{
    /// <summary>As a JSON schema (<c>response_format</c> of type <c>json_schema</c>): OpenAI, Azure OpenAI, vLLM, llama.cpp, Ollama, LM Studio.</summary>
    JsonSchema,

    /// <summary>As 'a JSON object' (<c>json_object</c>), and the schema in words, at the end of the instructions: servers that know no schemas.</summary>
    JsonObject,

    /// <summary>In words alone: servers that know no <c>response_format</c>.</summary>
    Words,
}
