using Dsd.Onnx.Graph;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// A device's memory. What little is done between two runs of a network is done there by two models of one operator each, so that no number comes to the
/// host before the last step.
/// </summary>
internal sealed class DevicePlace : TensorPlace
{
    private readonly InferenceSession _copy;
    private readonly InferenceSession _add;
    private readonly OrtMemoryInfo _memory;
    private readonly OrtAllocator _allocator;

    /// <param name="options">Makes options with the device's provider.</param>
    /// <param name="memory">The memory's name, such as <c>Cuda</c>.</param>
    /// <param name="device">The device's number.</param>
    public DevicePlace(Func<SessionOptions> options, string memory, int device)
    {
        _copy = Open(options, CopyModel());
        try
        {
            _add = Open(options, AddModel());
            _memory = new OrtMemoryInfo(memory, OrtAllocatorType.DeviceAllocator, device, OrtMemType.Default);
            _allocator = new OrtAllocator(_copy, _memory);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override OrtMemoryInfo Memory => _memory;

    /// <inheritdoc/>
    protected override bool OnHost => false;

    /// <inheritdoc/>
    protected override OrtAllocator Allocator => _allocator;

    /// <inheritdoc/>
    public override OnnxTensor ToHost(OnnxTensor tensor)
    {
        RequireSingle(tensor);
        OnnxTensor host = OnnxTensor.Of(new float[tensor.Count], [.. tensor.Shape]);
        using OrtValue into = Bytes(host);
        using OrtValue from = View(tensor, TensorElementType.UInt8, 0, tensor.ByteCount, [tensor.ByteCount]);
        Run(_copy, [("from", from)], into);
        return host;
    }

    /// <inheritdoc/>
    public override void Copy(OnnxTensor from, int first, OnnxTensor to, int place, int count)
    {
        long size = from.ElementSize;
        using OrtValue source = View(from, TensorElementType.UInt8, first * size, count * size, [count * size]);
        using OrtValue target = View(to, TensorElementType.UInt8, place * size, count * size, [count * size]);
        Run(_copy, [("from", source)], target);
    }

    /// <inheritdoc/>
    public override OnnxTensor AddScaled(OnnxTensor x, float scale, OnnxTensor y)
    {
        RequireSingle(x);
        RequireSingle(y);
        OnnxTensor sum = Empty(TensorElementType.Float, [.. x.Shape]);
        try
        {
            using OnnxTensor factor = OnnxTensor.Of([scale], 1);
            using OrtValue a = View(x, TensorElementType.Float, 0, x.ByteCount, [x.Count]);
            using OrtValue b = View(y, TensorElementType.Float, 0, y.ByteCount, [y.Count]);
            using OrtValue into = View(sum, TensorElementType.Float, 0, sum.ByteCount, [sum.Count]);
            Run(_add, [("x", a), ("y", b), ("scale", factor.Value)], into);
        }
        catch
        {
            sum.Dispose();
            throw;
        }
        x.Dispose();
        return sum;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _allocator?.Dispose();
        _memory?.Dispose();
        _add?.Dispose();
        _copy?.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    public override void CopyFromHost(OnnxTensor tensor, OnnxTensor here)
    {
        using OrtValue from = Bytes(tensor);
        using OrtValue into = View(here, TensorElementType.UInt8, 0, here.ByteCount, [here.ByteCount]);
        Run(_copy, [("from", from)], into);
    }

    private static void RequireSingle(OnnxTensor tensor)
    {
        if (tensor.Type != TensorElementType.Float)
        {
            throw new ArgumentException($"Numbers of single precision are expected, but these are {tensor.Type}.", nameof(tensor));
        }
    }

    private static OrtValue Bytes(OnnxTensor host) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, TensorElementType.UInt8, [host.ByteCount], host.Address, host.ByteCount);

    private static void Run(InferenceSession session, (string Name, OrtValue Value)[] inputs, OrtValue output)
    {
        using OrtIoBinding binding = session.CreateIoBinding();
        foreach ((string name, OrtValue value) in inputs)
        {
            binding.BindInput(name, value);
        }
        binding.BindOutput(session.OutputNames[0], output);
        // What lies on the host is on its way to the device.
        binding.SynchronizeBoundInputs();
        using RunOptions run = new();
        session.RunWithBinding(run, binding);
        binding.SynchronizeBoundOutputs();
    }

    private static InferenceSession Open(Func<SessionOptions> options, GraphBuilder graph)
    {
        using SessionOptions session = options();
        return new InferenceSession(ModelWriter.Bytes(graph), session);
    }

    private static GraphBuilder CopyModel()
    {
        GraphBuilder graph = new("copy");
        graph.Output("to", graph.Input("from", ElementType.UInt8, "bytes"), ElementType.UInt8, "bytes");
        return graph;
    }

    private static GraphBuilder AddModel()
    {
        GraphBuilder graph = new("add_scaled");
        Value x = graph.Input("x", "count");
        Value y = graph.Input("y", "count");
        graph.Output("sum", graph.Add(x, graph.Mul(y, graph.Input("scale", "1"))), "count");
        return graph;
    }
}
