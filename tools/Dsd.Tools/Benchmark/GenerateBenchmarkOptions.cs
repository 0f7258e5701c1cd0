using Dsd.Common.Options;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using static TorchSharp.torch;

namespace Dsd.Tools.Benchmark;

/// <summary>What a <see cref="GenerateBenchmark"/> measures.</summary>
internal sealed record GenerateBenchmarkOptions
{
    /// <summary>ONNX Runtime's name in results.</summary>
    public const string Onnx = "onnx";

    /// <summary>TorchSharp's name in results.</summary>
    public const string Torch = "torch";

    /// <summary>What the results call the model.</summary>
    public required string Size { get; init; }

    /// <summary>Gives the pipeline folder; asked only where the model's own files are needed.</summary>
    public required Func<string> Model { get; init; }

    /// <summary>The adapter that makes a student of the model; null is none.</summary>
    public string? AdapterFile { get; init; }

    /// <summary>An export that is taken. Null, the default: one is written.</summary>
    public string? OnnxFolder { get; init; }

    /// <summary>Where an export is written.</summary>
    public required string ExportFolder { get; init; }

    /// <summary>The precision of an export that is written.</summary>
    public required ExportPrecision ExportPrecision { get; init; }

    /// <summary>For which runtimes its graphs are.</summary>
    public required GraphTarget ExportTarget { get; init; }

    /// <summary>What of ONNX Runtime's components stays open. Default: all.</summary>
    public OnnxMemoryMode Memory { get; init; }

    /// <summary>Whether ONNX Runtime records a step on the GPU and plays it again. Default false.</summary>
    public bool CudaGraphs { get; init; }

    /// <summary>Which are measured, in this order: <see cref="Onnx"/> and <see cref="Torch"/>.</summary>
    public required IReadOnlyList<string> Backends { get; init; }

    /// <summary>cpu, cuda or cuda:N.</summary>
    public required string Device { get; init; }

    /// <summary>The type of TorchSharp's weights and computation. Default float32.</summary>
    public ScalarType Precision { get; init; } = ScalarType.Float32;

    /// <summary>Size, steps and guidance.</summary>
    public required DsdOptions Sampling { get; init; }

    /// <summary>Generations that are measured, after one step to warm up; 1 to 1000. Default 3.</summary>
    public int Generations { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(Generations)); } = 3;

    /// <summary>
    /// A folder for what each backend drew. What lies there from an earlier call stands in for a backend that is not measured now. Null, the default, is
    /// none.
    /// </summary>
    public string? Pictures { get; init; }

    /// <summary>The GPU's number; null is the CPU.</summary>
    public int? Gpu => Device == "cpu" ? null : Device.Split(':') is [_, var number] ? int.Parse(number, System.Globalization.CultureInfo.InvariantCulture) : 0;
}
