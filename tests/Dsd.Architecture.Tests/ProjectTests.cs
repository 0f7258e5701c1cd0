namespace Dsd.Architecture.Tests;

/// <summary>Which project may name which, and which packages each brings: docs/architecture.md and docs/decisions/packages.md.</summary>
public sealed class ProjectTests
{
    // An arrow more is a decision: write it here and say why in docs/architecture.md.
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Dsd.Common"] = [],
        ["Dsd.Imaging"] = ["Dsd.Common"],
        ["Dsd.Imaging.ImageSharp"] = ["Dsd.Imaging"],
        ["Dsd.Models"] = ["Dsd.Imaging"],
        ["Dsd.Onnx"] = ["Dsd.Models"],
        ["Dsd.Extensions.AI"] = ["Dsd.Onnx"],
        ["Dsd.Serving"] = ["Dsd.Extensions.AI"],
        ["Dsd.Evaluation"] = ["Dsd.Curation", "Dsd.Dataset", "Dsd.Onnx"],
        ["Dsd.Curation"] = ["Dsd.Imaging"],
        ["Dsd.Dataset"] = ["Dsd.Imaging"],
        ["Dsd.Runs"] = ["Dsd.Curation", "Dsd.Dataset"],
        ["Dsd.Review"] = ["Dsd.Runs"],
        ["Dsd.Cluster"] = ["Dsd.Runs"],
        ["Dsd.Tiny"] = ["Dsd.Curation", "Dsd.Models"],
        ["Dsd.MLNet"] = ["Dsd.Curation", "Dsd.Dataset", "Dsd.Evaluation", "Dsd.Models", "Dsd.Onnx", "Dsd.Tiny"],
        ["Dsd.CommandLine"] = ["Dsd.Models"],
        ["Dsd.Lab"] = ["Dsd.CommandLine", "Dsd.Evaluation", "Dsd.Onnx", "Dsd.Tiny"],
        ["Dsd.Tools"] = ["Dsd.Cluster", "Dsd.CommandLine", "Dsd.Dataset", "Dsd.Evaluation", "Dsd.MLNet", "Dsd.Review", "Dsd.Runs", "Dsd.Serving"],
    };

    public static TheoryData<string> Names => [.. SourceTree.Projects.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AProject_NamesTheProjectsThatItMay(string name) =>
        Assert.Equal(Arrows[name], SourceTree.Projects[name].Projects);

    [Theory]
    [MemberData(nameof(Names))]
    public void Internals_AreSeenByTestsAlone(string name) =>
        Assert.All(SourceTree.Projects[name].Friends, friend => Assert.EndsWith(".Tests", friend, StringComparison.Ordinal));

    [Theory]
    [InlineData("Microsoft.Data.Sqlite", "Dsd.Runs")]
    [InlineData("Parquet.Net", "Dsd.Dataset")]
    [InlineData("Microsoft.ML.OnnxRuntime", "Dsd.Onnx")]
    [InlineData("TorchSharp", "Dsd.Models")]
    [InlineData("SkiaSharp", "Dsd.Imaging")]
    [InlineData("SixLabors.ImageSharp", "Dsd.Imaging.ImageSharp")]
    [InlineData("Microsoft.ML", "Dsd.MLNet")]
    [InlineData("Microsoft.ML.OnnxTransformer", "Dsd.MLNet")]
    [InlineData("Microsoft.Orleans.Server", "Dsd.Cluster")]
    [InlineData("OxyPlot.SkiaSharp", "Dsd.Review")]
    [InlineData("System.CommandLine", "Dsd.CommandLine")]
    [InlineData("Microsoft.Extensions.AI", "Dsd.Extensions.AI")]
    [InlineData("OpenTelemetry.Extensions.Hosting", "Dsd.Tools")]
    public void APackage_IsNamedByOneProject(string package, string project) =>
        Assert.Equal([project], SourceTree.Projects.Values.Where(p => p.Packages.Contains(package)).Select(p => p.Name));

    [Theory]
    [InlineData("Dsd.Imaging", "")]
    [InlineData("Dsd.Models", "")]
    [InlineData("Dsd.Onnx", "")]
    [InlineData("Dsd.Serving", "")]
    [InlineData("Dsd.Evaluation", "Parquet.Net")]
    [InlineData("Dsd.Tiny", "")]
    [InlineData("Dsd.Dataset", "Parquet.Net")]
    [InlineData("Dsd.MLNet", "Parquet.Net")]
    public void DrawingBringsNoDatabase_NoParquet_AndNoOpenAI(string project, string but)
    {
        string[] heavy = ["Microsoft.Data.Sqlite", "Parquet.Net", "OpenAI", "Microsoft.Extensions.AI.OpenAI", "Microsoft.Orleans.Server", "Npgsql"];
        string[] brought = [.. Closure(project).SelectMany(p => SourceTree.Projects[p].Packages).Intersect(heavy).Except([but])];
        Assert.Empty(brought);
    }

    /// <summary>
    /// Dsd.Models computes with the libtorch that the program brings, as TorchSharp itself has it; so the ONNX side alone brings none.
    /// Dsd.MLNet brings the CPU's, so that a newcomer's program runs with nothing added.
    /// </summary>
    [Fact]
    public void Libtorch_IsBroughtByMLNet_AndByPrograms() =>
        Assert.Equal(["Dsd.Lab", "Dsd.MLNet"], SourceTree.Projects.Values.Where(p => p.BringsLibtorch).Select(p => p.Name).Order());

    [Fact]
    public void TheOnnxSide_RestoresNoLibtorch()
    {
        string restored = File.ReadAllText(Path.Combine(SourceTree.Root, "src", "Dsd.Onnx", "obj", "project.assets.json"));

        Assert.Contains("\"TorchSharp/", restored, StringComparison.Ordinal);
        Assert.DoesNotContain("\"libtorch-", restored, StringComparison.Ordinal);
    }

    /// <summary>A project is not compiled before tests that do not reference it, and those of the packages take what was compiled.</summary>
    [Fact]
    public void TheTestsOfThePackages_ReferenceAllThatIsPacked()
    {
        string tests = SourceTree.Text("tests/Dsd.MLNet.Tests/Dsd.MLNet.Tests.csproj");
        string[] packed = [.. SourceTree.Projects.Values.Where(p => p.Folder.StartsWith("src/", StringComparison.Ordinal)).Select(p => p.Name)];
        HashSet<string> compiled = [.. packed.Where(name => tests.Contains($"/{name}.csproj\"", StringComparison.Ordinal)).SelectMany(Closure)];
        Assert.Equal(packed.Order(), compiled.Order());
    }

    private static HashSet<string> Closure(string project)
    {
        HashSet<string> found = [project];
        foreach (string next in SourceTree.Projects[project].Projects)
        {
            found.UnionWith(Closure(next));
        }
        return found;
    }
}
