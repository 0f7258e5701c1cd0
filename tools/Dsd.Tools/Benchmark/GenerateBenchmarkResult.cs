namespace Dsd.Tools.Benchmark;

/// <summary>What a <see cref="GenerateBenchmark"/> found for one backend. Times are those of one picture.</summary>
internal sealed record GenerateBenchmarkResult
{
    /// <summary><c>tiny</c> or <c>dev</c>.</summary>
    public required string Size { get; init; }

    /// <summary><c>onnx</c> or <c>torch</c>.</summary>
    public required string Backend { get; init; }

    /// <summary>cpu, cuda or cuda:N.</summary>
    public required string Device { get; init; }

    /// <summary>The device's own name; null where it does not tell.</summary>
    public required string? DeviceName { get; init; }

    /// <summary>The backend's library and its version.</summary>
    public required string Library { get; init; }

    /// <summary>The type in which the networks compute.</summary>
    public required string Precision { get; init; }

    /// <summary>Width of the picture in pixels; the canvas has two of them.</summary>
    public required int Width { get; init; }

    /// <summary>Height of the picture in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Steps of a generation.</summary>
    public required int Steps { get; init; }

    /// <summary>Generations that were measured.</summary>
    public required int Generations { get; init; }

    /// <summary>Seconds that the export took; null where none was written.</summary>
    public double? ExportS { get; init; }

    /// <summary>Bytes of the exported files; null where there are none.</summary>
    public long? ExportBytes { get; init; }

    /// <summary>The most bytes of the host's memory while exporting, files that are mapped left out; null where no export was written.</summary>
    public long? ExportMemoryBytes { get; init; }

    /// <summary>Seconds from nothing open to a first picture of one step: files, weights, sessions, kernels.</summary>
    public required double OpenS { get; init; }

    /// <summary>Seconds that ONNX Runtime took to open each component the first time; null for TorchSharp.</summary>
    public IReadOnlyDictionary<string, double>? OpeningS { get; init; }

    /// <summary>Median of all steps but the first of each generation, which waits for text and reference, in milliseconds.</summary>
    public required double MsPerStep { get; init; }

    /// <summary>The least of them.</summary>
    public required double MsPerStepLeast { get; init; }

    /// <summary>The one that nine of ten are no longer than.</summary>
    public required double MsPerStepP90 { get; init; }

    /// <summary>Median seconds of a whole generation: text encoders, reference, steps and decoding.</summary>
    public required double GenerationS { get; init; }

    /// <summary>Median seconds of a generation before its steps, for text and reference: until the first step's end, less a step.</summary>
    public required double BeforeStepsS { get; init; }

    /// <summary>Median seconds of a generation after its last step, for decoding.</summary>
    public required double AfterStepsS { get; init; }

    /// <summary>The most bytes of the host's memory while it was open, files that are mapped left out; what else the process holds is among them.</summary>
    public required long HostMemoryBytes { get; init; }

    /// <summary>The most bytes of the GPU's memory while it was open, by all that ran there; null on the CPU.</summary>
    public required long? GpuMemoryBytes { get; init; }

    /// <summary>The largest difference of a byte of the picture from TorchSharp's, 0 to 255; null where TorchSharp drew none, or is this.</summary>
    public int? LargestDifference { get; init; }

    /// <summary>The mean difference of the bytes; likewise.</summary>
    public double? MeanDifference { get; init; }
}
