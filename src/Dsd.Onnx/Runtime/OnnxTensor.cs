using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>Numbers in managed memory with a shape, which ONNX Runtime reads in place.</summary>
public sealed class OnnxTensor : IDisposable
{
    private readonly float[]? _floats;

    private OnnxTensor(OrtValue value, float[]? floats, long[] shape)
    {
        Value = value;
        _floats = floats;
        Shape = shape;
    }

    /// <summary>What ONNX Runtime takes.</summary>
    public OrtValue Value { get; }

    /// <summary>The sides.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The numbers, row after row: changing them changes the tensor.</summary>
    public Span<float> Floats => _floats;

    /// <summary>A tensor over the given numbers, which it takes over.</summary>
    public static OnnxTensor Of(float[] values, params long[] shape) => new(OrtValue.CreateTensorValueFromMemory(values, shape), values, shape);

    /// <summary>A tensor of token ids.</summary>
    public static OnnxTensor Of(long[] values, params long[] shape) => new(OrtValue.CreateTensorValueFromMemory(values, shape), null, shape);

    /// <summary>A copy of one of a session's outputs.</summary>
    public static OnnxTensor CopyOf(OrtValue output) => Of(output.GetTensorDataAsSpan<float>().ToArray(), output.GetTensorTypeAndShape().Shape);

    /// <summary>Frees it.</summary>
    public void Dispose() => Value.Dispose();
}
