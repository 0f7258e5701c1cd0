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

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void TheReadme_ShowsCodeThatIsCompiled(int block)
    {
        string readme = File.ReadAllText(Path.Combine(Fixtures.Repository, "README.md"));
        string source = File.ReadAllText(Path.Combine(Fixtures.Repository, "samples", "Quickstart", "Chain.cs"));
        string shown = readme.Split("```csharp")[1 + block].Split("```")[0];
        Assert.Equal(Lines(source.Split("// README")[1 + 2 * block]), Lines(shown));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void TheDocs_ShowCodeThatIsCompiled(int block)
    {
        string docs = File.ReadAllText(Path.Combine(Fixtures.Repository, "docs", "mlnet.md"));
        string source = File.ReadAllText(Path.Combine(Fixtures.Repository, "samples", "Quickstart", "Chain.cs"));
        string compiled = source.Split("// docs/mlnet.md")[1 + 2 * block];
        Assert.Contains(docs.Split("```csharp")[1..], shown => Lines(shown.Split("```")[0]).SequenceEqual(Lines(compiled)));
    }

    private static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

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
