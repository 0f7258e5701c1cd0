using System.Runtime.InteropServices;
using Dsd.Common.Files;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
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

    public OnnxModel(GraphBuilder graph, long mostBytesInside = ModelWriter.MostBytesInside, bool onGpu = false)
    {
        ModelWriter.Write(graph, new HashedFolder(_folder.Path), mostBytesInside, ModelWriter.MostBytesBeside, CancellationToken.None);
        using SessionOptions options = new();
        if (onGpu)
        {
            ProviderAppender.Real.Append(options, OnnxProvider.Cuda, new OnnxRuntimeOptions { Providers = [OnnxProvider.Cuda] });
        }
        _session = new InferenceSession(_folder.File(ModelWriter.ModelFile), options);
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
            ScalarType.BFloat16 => OrtValue.CreateTensorValueFromMemory(MemoryMarshal.Cast<byte, BFloat16>(whole.bytes).ToArray(), value.shape),
            ScalarType.Float16 => OrtValue.CreateTensorValueFromMemory(MemoryMarshal.Cast<byte, Float16>(whole.bytes).ToArray(), value.shape),
            _ => OrtValue.CreateTensorValueFromMemory(MemoryMarshal.Cast<byte, float>(whole.bytes).ToArray(), value.shape),
        };
    }

    private static Tensor FromOrt(OrtValue value)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        ReadOnlySpan<byte> bytes = value.GetTensorMutableRawData();
        switch (info.ElementDataType)
        {
            case TensorElementType.Float16:
                return tensor(MemoryMarshal.Cast<byte, Half>(bytes).ToArray(), info.Shape);
            case TensorElementType.BFloat16:
                float[] wide = new float[bytes.Length / 2];
                for (int i = 0; i < wide.Length; i++)
                {
                    wide[i] = BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Cast<byte, ushort>(bytes)[i] << 16);
                }
                return tensor(wide, info.Shape).to(ScalarType.BFloat16);
            default:
                return tensor(value.GetTensorDataAsSpan<float>().ToArray(), info.Shape);
        }
    }
}
