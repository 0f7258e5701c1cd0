using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>Adds a provider to a session's options. Tests put their own in the place of <see cref="ProviderAppender"/>.</summary>
internal interface IProviderAppender
{
    /// <summary>Adds a provider, which then comes after those that were added before.</summary>
    /// <param name="session">What it is added to.</param>
    /// <param name="provider">Any but the processor, which is always there.</param>
    /// <param name="options">The GPU's number, libraries and the rest.</param>
    /// <exception cref="NotSupportedException">The provider cannot be had here; the message says why and what to add.</exception>
    void Append(SessionOptions session, OnnxProvider provider, OnnxRuntimeOptions options);
}
