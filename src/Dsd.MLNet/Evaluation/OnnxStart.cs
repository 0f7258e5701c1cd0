using System.Runtime.CompilerServices;
using Dsd.Onnx.Runtime;

namespace Dsd.MLNet.Evaluation;

/// <summary>What must happen before ML.NET's <c>ApplyOnnxModel</c>, perhaps the next stage of a user's chain, makes ONNX Runtime's environment.</summary>
internal static class OnnxStart
{
    /// <summary>
    /// Switches off ONNX Runtime's reports, as any use of Dsd.Onnx does: docs/decisions/onnx-runtime-telemetry.md. Doing it again does nothing.
    /// </summary>
    public static void Prepare() => RuntimeHelpers.RunModuleConstructor(typeof(OnnxRuntimeOptions).Module.ModuleHandle);
}
