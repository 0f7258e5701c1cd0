namespace Dsd.Models.Weights;

/// <summary>A file that breaks the safetensors format, or a tensor in it that cannot be used as asked.</summary>
public sealed class SafetensorsException : WeightsException
{
    /// <summary>Names the file, the tensor if one is at fault, what was expected and what was found.</summary>
    public SafetensorsException(string file, string? tensor, string expected, string found, Exception? inner = null)
        : base(file, $"Safetensors file '{file}'{(tensor is null ? "" : $", tensor '{tensor}'")}: expected {expected}, found {found}.", inner)
    {
        Tensor = tensor;
    }

    /// <summary>The tensor at fault; null where the file as a whole is.</summary>
    public string? Tensor { get; }
}
