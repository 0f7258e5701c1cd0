using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Families;

/// <summary>A network's inputs for some rows over the steps of a generation, without latents and condition.</summary>
/// <param name="constant">What stays the same in all steps, by the inputs' names.</param>
/// <param name="ofStep">What is of one step, from 0.</param>
public sealed class NetworkInputs(
    IReadOnlyList<(string Name, OnnxTensor Value)> constant, Func<int, IReadOnlyList<(string Name, OnnxTensor Value)>> ofStep) : IDisposable
{
    /// <summary>What stays the same in all steps, by the inputs' names.</summary>
    public IReadOnlyList<(string Name, OnnxTensor Value)> Constant => constant;

    /// <summary>What is of one step, from 0, by the inputs' names; the caller disposes the tensors.</summary>
    public IReadOnlyList<(string Name, OnnxTensor Value)> OfStep(int step) => ofStep(step);

    /// <summary>Frees what stays the same.</summary>
    public void Dispose()
    {
        foreach ((_, OnnxTensor value) in constant)
        {
            value.Dispose();
        }
    }
}
