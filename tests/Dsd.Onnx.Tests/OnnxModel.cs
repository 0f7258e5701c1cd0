using System.Runtime.InteropServices;
using Dsd.Common.Files;
using Dsd.Onnx.Graph;
using Dsd.Testing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Dsd.Onnx.Tests;

/// <summary>A built graph written to a folder of its own and opened in ONNX Runtime, with torch's tensors going in and out.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly InferenceSession _session;

    public OnnxModel(GraphBuilder graph, long mostBytesInside = ModelWriter.MostBytesInside)
    {
        ModelWriter.Write(graph, new HashedFolder(_folder.Path), mostBytesInside, ModelWriter.MostBytesBeside, CancellationToken.None);
        _session = new InferenceSession(_folder.File(ModelWriter.ModelFile));
    }

    public IEnumerable<string> Inputs => _session.InputNames;

    public Tensor[] Run(params (string Name, Tensor Value)[] inputs)
    {
        OrtValue[] values = [.. inputs.Select(i => ToOrt(i.Value))];
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(options, [.. inputs.Select(i => i.Name)], values, _session.OutputNames);
        foreach (OrtValue value in values)
        {
            value.Dispose();
        }
        return [.. outputs.Select(FromOrt)];
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    private static OrtValue ToOrt(Tensor value)
    {
        using Tensor whole = value.contiguous();
        return value.dtype switch
        {
            ScalarType.Int64 => OrtValue.CreateTensorValueFromMemory(MemoryMarshal.Cast<byte, long>(whole.bytes).ToArray(), value.shape),
            ScalarType.Float16 => OrtValue.CreateTensorValueFromMemory(MemoryMarshal.Cast<byte, Float16>(whole.bytes).ToArray(), value.shape),
            _ => OrtValue.CreateTensorValueFromMemory(MemoryMarshal.Cast<byte, float>(whole.bytes).ToArray(), value.shape),
        };
    }

    private static Tensor FromOrt(OrtValue value)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        return info.ElementDataType == TensorElementType.Float16
            ? tensor(MemoryMarshal.Cast<byte, Half>(value.GetTensorMutableRawData()).ToArray(), info.Shape)
            : tensor(value.GetTensorDataAsSpan<float>().ToArray(), info.Shape);
    }
}
