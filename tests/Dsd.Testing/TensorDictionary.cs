using static TorchSharp.torch;

namespace Dsd.Testing;

/// <summary>Tensors by name, disposed together.</summary>
public sealed class TensorDictionary : Dictionary<string, Tensor>, IDisposable
{
    public void Dispose()
    {
        foreach (Tensor tensor in Values)
        {
            tensor.Dispose();
        }
    }
}
