using Dsd.Evaluation.Encoders;
using Dsd.Testing;

namespace Dsd.MLNet.Tests.Evaluation;

/// <summary>ONNX Runtime's reports are off before a chain's own <c>ApplyOnnxModel</c> runs: docs/decisions/onnx-runtime-telemetry.md.</summary>
public sealed class OnnxReportsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ours-first", "numbers: ")]
    [InlineData("onnx-first", "numbers: ")]
    [InlineData("generator-first", "stages: 2")]
    public void AChainWithApplyOnnxModel_LeavesNoTraceOfReports(string order, string said)
    {
        Assert.StartsWith(said, Assert.Single(Run(order, reports: null)), StringComparison.Ordinal);

        Assert.Empty(Traces());
    }

    /// <summary>Without the switch the same program leaves what the test above looks for, so that it can fail.</summary>
    [LinuxFact]
    public void AChainWithApplyOnnxModel_WhenReportsAreWanted_LeavesTheirTrace()
    {
        Run("ours-first", reports: "0");

        Assert.NotEmpty(Traces());
    }

    private string[] Run(string order, string? reports)
    {
        EncoderFolder encoder = EncoderFolder.Open(TestEncoders.Folder("dino"));
        Dictionary<string, string?> settings = ReportsOfOnnxRuntime.AsOnAUsersMachine(_folder.File("traces"), reports);
        settings["DOTNET_CLI_HOME"] = _folder.File("elsewhere");
        settings["DOTNET_EnableDiagnostics"] = "0";
        return LoadProgram.RunIn(_folder.Path, settings, "--onnx-chain", order, encoder.Path, encoder.ImageModel);
    }

    private string[] Traces() => ReportsOfOnnxRuntime.TracesIn(_folder.File("traces"));
}
