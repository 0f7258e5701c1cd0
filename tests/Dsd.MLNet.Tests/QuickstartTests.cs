using System.Diagnostics;
using System.Xml;
using System.Xml.Linq;
using Dsd.Testing;

namespace Dsd.MLNet.Tests;

/// <summary>The Quickstart as a user starts it, in its brief form.</summary>
public sealed class QuickstartTests(QuickstartTests.BriefRun run) : IClassFixture<QuickstartTests.BriefRun>
{
    [Fact]
    public void ABriefRun_EndsWell() => Assert.True(run.Code == 0, run.Output);

    [Theory]
    [InlineData("Draw grids")]
    [InlineData("Judge pairs")]
    [InlineData("Fine-tune the LoRA")]
    [InlineData("Export to ONNX")]
    [InlineData("Generate pictures")]
    public void TheReport_ShowsEveryStage(string stage) =>
        Assert.Contains(run.Report.Descendants("h2"), h => h.Value.Contains(stage, StringComparison.Ordinal));

    [Fact]
    public void TheReport_NeedsNoOtherFile() =>
        Assert.All(run.Report.Descendants("img"), i => Assert.StartsWith("data:image/png;base64,", i.Attribute("src")!.Value));

    [Fact]
    public void TheReport_ShowsKeptAndRejectedPairs() =>
        Assert.Equal(
            ["pair kept", "pair rejected"],
            run.Report.Descendants("div")
                .Select(d => d.Attribute("class")?.Value)
                .Where(c => c?.StartsWith("pair ") == true)
                .Distinct()
                .Order());

    [Fact]
    public void ThePictures_LieBesideTheReport() =>
        Assert.Equal(4, Directory.GetFiles(Path.Combine(run.Folder, "pictures"), "*.png").Length);

    /// <summary>Runs the program once for all tests of the class.</summary>
    public sealed class BriefRun : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public BriefRun()
        {
            ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Quickstart.dll"), "--brief", "--out", Folder])
            {
                start.ArgumentList.Add(argument);
            }
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            Output = process.StandardOutput.ReadToEnd() + errors.Result;
            process.WaitForExit();
            Code = process.ExitCode;
            string report = Path.Combine(Folder, "report.html");
            using XmlReader? reader = File.Exists(report) ? XmlReader.Create(report, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore }) : null;
            Report = reader is null ? new XDocument(new XElement("html")) : XDocument.Load(reader);
        }

        public string Folder => _folder.File("out");

        public int Code { get; }

        public string Output { get; }

        public XDocument Report { get; }

        public void Dispose() => _folder.Dispose();
    }
}
