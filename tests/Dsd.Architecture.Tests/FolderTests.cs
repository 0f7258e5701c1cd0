using System.Text.RegularExpressions;

namespace Dsd.Architecture.Tests;

/// <summary>Which folder may name which, and how large some of them may grow.</summary>
public sealed partial class FolderTests
{
    // Where families of base models meet what is written once for all of them.
    private static readonly string[] WithoutFamilies =
    [
        "src/Dsd.Models/Sampling", "src/Dsd.Models/Lora", "src/Dsd.Models/Training", "src/Dsd.Models/Layers",
        "src/Dsd.Onnx/Runtime", "src/Dsd.Onnx/Export", "src/Dsd.Onnx/Graph", "src/Dsd.MLNet",
    ];

    public static TheoryData<string> General => [.. WithoutFamilies];

    [Theory]
    [MemberData(nameof(General))]
    public void WhatIsWrittenOnce_NamesNoFamily(string folder)
    {
        IReadOnlyList<string> files = SourceTree.Files(folder);
        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, file => FamilyName().IsMatch(SourceTree.Text(file)));
    }

    [Fact]
    public void OneFileRegistersAFamily() => Assert.Equal(
        ["src/Dsd.Models/Families/ModelFamilies.cs"],
        SourceTree.Files("src/Dsd.Models/Families").Where(file => FamilyName().IsMatch(SourceTree.Text(file))));

    [Fact]
    public void ABlockTakesTensors_NoCache() => Assert.DoesNotContain(
        "Cache", string.Concat(new[] { "FluxBlocks.cs", "FluxLayers.cs" }.Select(f => SourceTree.Text($"src/Dsd.Models/Flux/{f}"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("src/Dsd.Models/Flux/FluxTransformer.cs", 220)]
    [InlineData("src/Dsd.Models/Layers/AdaptableLinear.cs", 160)]
    [InlineData("tests/Dsd.Families.Tests/ToyNetwork.cs", 60)]
    public void ANetworksFile_StaysShort(string file, int most) => Assert.InRange(SourceTree.Text(file).Count(c => c == '\n'), 1, most);

    [Fact]
    public void TheEmbeddedModel_IsWhatAProgramNeeds() => Assert.InRange(SourceTree.Files("src/Dsd.Tiny").Count, 1, 60);

    /// <summary>Which model a name stands for, and what suits it, is a preset: docs/decisions/model-families.md.</summary>
    [Fact]
    public void ThatAModelIsTheEmbeddedOne_IsAskedNowhere() => Assert.DoesNotContain(
        SourceTree.Files("src").Where(f => !f.StartsWith("src/Dsd.Tiny/", StringComparison.Ordinal)).Concat(SourceTree.Files("tools/Dsd.Tools")),
        file => ComparedName().IsMatch(SourceTree.Text(file)));

    [Theory]
    [InlineData("options.Model == TinyModel.Name ? 1 : 2", true)]
    [InlineData("TinyModel.Name != model", true)]
    [InlineData("model is TinyModel.Name or Teacher", true)]
    [InlineData("model is not \"tiny\"", true)]
    [InlineData("case TinyModel.Name:", true)]
    [InlineData("TinyModel.Name => 1,", true)]
    [InlineData("name.Equals(TinyModel.Name, StringComparison.Ordinal)", true)]
    [InlineData("string Model { get; init; } = \"tiny\";", false)]
    [InlineData("model ?? TinyModel.Name", false)]
    [InlineData("$\"FILE|{TinyModel.Name}\"", false)]
    public void AComparison_IsRecognised(string code, bool compares) => Assert.Equal(compares, ComparedName().IsMatch(code));

    [Fact]
    public void FewFilesLieLooseInDsdMLNet() =>
        Assert.InRange(Directory.GetFiles(Path.Combine(SourceTree.Root, "src/Dsd.MLNet"), "*.cs").Length, 0, 6);

    [Fact]
    public void SamplingGuidanceAndPacking_StandOnce()
    {
        string[] sources = [.. SourceTree.Files("src")];
        foreach (string once in new[] { "Sampler", "TrueGuidance", "TwoFrames", "LatentPacking", "FlowMatchEulerScheduler" })
        {
            Assert.Single(sources, f => Path.GetFileName(f) == $"{once}.cs");
        }
        Assert.DoesNotContain(SourceTree.Files("src/Dsd.Onnx"), f => SourceTree.Text(f).Contains("FlowMatchEulerScheduler.Sigmas", StringComparison.Ordinal));
    }

    [Fact]
    public void ANamespace_IsItsFolder()
    {
        List<string> strangers = [];
        foreach (SourceProject project in SourceTree.Projects.Values)
        {
            foreach (string file in SourceTree.Files(project.Folder))
            {
                string expected = (project.Name + file[project.Folder.Length..file.LastIndexOf('/')]).Replace('/', '.');
                string found = Namespace().Match(SourceTree.Text(file)).Groups[1].Value; // none in a program's entry
                if (found.Length > 0 && found != expected && !MayStandAbove(project, file, found))
                {
                    strangers.Add($"{file}: {found}");
                }
            }
        }
        Assert.Empty(strangers);
    }

    // Users of Dsd.MLNet write one using, whichever folder a stage lies in.
    private static bool MayStandAbove(SourceProject project, string file, string found) =>
        project.Name == "Dsd.MLNet" && (found == "Dsd.MLNet" || file.StartsWith("src/Dsd.MLNet/build/", StringComparison.Ordinal));

    // 'FLUX' in a remark is the model of that name; an identifier is what counts.
    [GeneratedRegex(@"\bFlux\w*")]
    private static partial Regex FamilyName();

    [GeneratedRegex("""([=!]=|\b(is|not|or|and|case)\b|Equals\()\s*(TinyModel\.Name\b|"tiny")|(TinyModel\.Name\b|"tiny")\s*([=!]=|=>|\.Equals\()""")]
    private static partial Regex ComparedName();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
