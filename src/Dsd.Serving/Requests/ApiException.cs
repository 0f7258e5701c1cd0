namespace Dsd.Serving.Requests;

/// <summary>A request that is answered with an error, in the shape of OpenAI's.</summary>
internal sealed class ApiException(int status, string message, string? param = null, string code = "invalid_value", string type = "invalid_request_error")
    : Exception(message)
{
    public int Status => status;

    public string? Param => param;

    public string Code => code;

    public string Type => type;
}
