using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsd.Models.Weights;

/// <summary>Reads the JSON files of a model folder: bounded in size and depth, snake case, unknown fields skipped, required ones checked.</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowDuplicateProperties = false,
        MaxDepth = 32,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };

    public static T Read<T>(string path, long maxBytes = 4_000_000)
    {
        try
        {
            T value = JsonSerializer.Deserialize<T>(Bytes(path, maxBytes), Options) ?? throw new WeightsException(path, "a JSON object", "null");
            (value as IModelConfig)?.Validate();
            return value;
        }
        catch (JsonException e)
        {
            throw new WeightsException(path, "JSON with the fields that are needed", e.Message.TrimEnd('.'), e);
        }
        catch (ArgumentException e)
        {
            // From the checks of the config records.
            throw new WeightsException(path, "values that describe a model", e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>A file's bytes, where it is not larger than a bound.</summary>
    public static byte[] Bytes(string path, long maxBytes)
    {
        FileInfo file = new(path);
        if (!file.Exists)
        {
            throw new WeightsException(path, "a file", "nothing there");
        }
        return file.Length <= maxBytes
            ? File.ReadAllBytes(path)
            : throw new WeightsException(path, $"at most {maxBytes} bytes", $"{file.Length}");
    }
}
