using Dsd.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Tests.Runtime;

/// <summary>Providers of a machine that is not here: some can be had, and then the processor does their work; the others cannot.</summary>
internal sealed class StandInProviders(params OnnxProvider[] present) : IProviderAppender
{
    /// <summary>What was asked for.</summary>
    public List<OnnxProvider> Asked { get; } = [];

    public void Append(SessionOptions session, OnnxProvider provider, OnnxRuntimeOptions options)
    {
        Asked.Add(provider);
        if (!present.Contains(provider))
        {
            throw new NotSupportedException($"There is no {provider}.");
        }
    }
}
