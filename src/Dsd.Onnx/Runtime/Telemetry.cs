using System.Runtime.CompilerServices;
using Dsd.Common.Processes;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// Keeps ONNX Runtime from reporting its use: see docs/decisions/onnx-runtime-telemetry.md. A user who wants the reports sets <c>ORT_DISABLE_TELEMETRY=0</c>.
/// </summary>
internal static class Telemetry
{
    private const string Switch = "ORT_DISABLE_TELEMETRY";
    private static bool _wanted;

    /// <summary>Stands before ONNX Runtime's first use, when it reads the switch: with it no file is written, no identifier made and nothing sent.</summary>
#pragma warning disable CA2255 // Only so does it come before sessions that a program makes itself after it has used this library.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void SwitchOff()
    {
        _wanted = Environment.GetEnvironmentVariable(Switch) is not null;
        NativeEnvironment.SetDefault(Switch, "1");
    }

    /// <summary>The same for builds that tell Windows' own event tracing, which do not read the switch.</summary>
    public static void SwitchOffEvents()
    {
        if (!_wanted)
        {
            OrtEnv.Instance().DisableTelemetryEvents();
        }
    }
}
