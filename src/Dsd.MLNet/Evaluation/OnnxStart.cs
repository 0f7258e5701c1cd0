using System.Runtime.CompilerServices;
using Dsd.Onnx.Runtime;

namespace Dsd.MLNet.Evaluation;

/// <summary>What must happen before ML.NET's <c>ApplyOnnxModel</c>, perhaps another stage of a user's chain, makes ONNX Runtime's environment.</summary>
internal static class OnnxStart
{
    /// <summary>
    /// Switches off ONNX Runtime's reports, as any use of Dsd.Onnx does: docs/decisions/onnx-runtime-telemetry.md. A method that makes one of the stages has
    /// this done before it runs, also where it makes the other stage first.
    /// </summary>
#pragma warning disable CA2255 // Only so does it come before a stage of ML.NET's own, whatever the chain's order.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Prepare() => RuntimeHelpers.RunModuleConstructor(typeof(OnnxRuntimeOptions).Module.ModuleHandle);
}
