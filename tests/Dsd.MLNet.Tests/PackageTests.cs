using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using Dsd.MLNet.Tests.Packages;
using Dsd.Testing;

namespace Dsd.MLNet.Tests;

/// <summary>
/// Packs the libraries into a folder, and builds and runs programs that reference them from there, outside this repository: what a user of
/// the packages gets, native libraries on older Linux and the embedded model included.
/// </summary>
[Trait("Category", "Package")]
public sealed class PackageTests(PackedPackages packed) : IClassFixture<PackedPackages>
{
    private const string OnnxLibrary = "libonnxruntime.so";
    private const string OnnxCudaProvider = "libonnxruntime_providers_cuda.so";

    [Fact]
    public void APackagesConsumer_Builds() => Assert.True(packed.Build.Code == 0, packed.Build.Output);

    [Fact]
    public void APackagesConsumer_ComputesWithTorch() => Assert.Contains("torch: 10", packed.Run.Output);

    [Fact]
    public void APackagesConsumer_LoadsTheTeacherAndDrawsAGrid() => Assert.Contains("grid: 64 x 32", packed.Run.Output);

    [Fact]
    public void APackagesConsumer_ExportsAndGeneratesThroughOnnxRuntime() => Assert.Contains("generated: 32 x 32", packed.Run.Output);

    [Fact]
    public void APackagesConsumer_EndsWell() => Assert.True(packed.Run.Code == 0, packed.Run.Output);

    /// <summary>What was built here runs nowhere else yet, but what it would load there is in the output: docs/platforms.md.</summary>
    [Theory]
    [InlineData("win-x64", "torch_cpu.dll", "LibTorchSharp.dll", "onnxruntime.dll", "libSkiaSharp.dll")]
    [InlineData("osx-arm64", "libtorch_cpu.dylib", "libLibTorchSharp.dylib", "libonnxruntime.dylib")]
    [InlineData("osx", "libSkiaSharp.dylib")]
    public void APackagesConsumer_HasTheLibrariesOfOtherSystems(string system, params string[] libraries) =>
        Assert.All(libraries, library => Assert.True(File.Exists(packed.Plain.Output("runtimes", system, "native", library)), $"{system}: {library}"));

    /// <summary>Neither the program's own temporary folders nor what ONNX Runtime's reports would keep: docs/decisions/onnx-runtime-telemetry.md.</summary>
    [Fact]
    public void APackagesConsumer_LeavesNothingInTheTemporaryFolderNorAtHome() => Assert.Empty(ReportsOfOnnxRuntime.TracesIn(packed.Traces));

    [Fact]
    public void APackagesConsumer_HasTheEmbeddedModelBesideIt() =>
        Assert.Equal(Files(Path.Combine(AppContext.BaseDirectory, "dsd-tiny")), Files(packed.Plain.Output("dsd-tiny")));

    [Fact]
    public void ThePackages_AskNobodyForMonoCecil() => Assert.DoesNotContain("Mono.Cecil", packed.Plain.Assets);

    [LinuxFact]
    public void WithoutMore_AConsumerHasTheCpusOnnxRuntime()
    {
        Assert.Equal(InCache("microsoft.ml.onnxruntime", OnnxLibrary), packed.Plain.NativeLength(OnnxLibrary));
        Assert.Null(packed.Plain.NativeLength(OnnxCudaProvider));
    }

    [LinuxFact]
    public void WithTheGpuPackageAdded_AConsumerHasItsOnnxRuntime()
    {
        Assert.True(packed.CudaBuild.Code == 0, packed.CudaBuild.Output);
        Assert.Equal(InCache("microsoft.ml.onnxruntime.gpu.linux", OnnxLibrary), packed.Cuda.NativeLength(OnnxLibrary));
        Assert.NotEqual(packed.Plain.NativeLength(OnnxLibrary), packed.Cuda.NativeLength(OnnxLibrary));
        Assert.NotNull(packed.Cuda.NativeLength(OnnxCudaProvider));
        // Once, and from the one package: the host loads by this list.
        Assert.Single(packed.Cuda.Dependencies.Split('\n'), l => l.Contains($"{PackedPackages.Runtime}/native/{OnnxLibrary}\"", StringComparison.Ordinal));
        // Where the GPU package has nothing, the CPU's stays.
        Assert.True(File.Exists(packed.Cuda.Output("runtimes", "osx-arm64", "native", "libonnxruntime.dylib")));
    }

    [LinuxFact]
    public void WithTheGpuPackageAdded_OnnxRuntimeKnowsCuda() => Assert.Contains("CUDAExecutionProvider", packed.CudaRun.Output);

    [LinuxFact]
    public void WithTorchsCudaPackageAdded_AConsumerHasItsLibraries()
    {
        Assert.Equal((4L, 4L), (packed.Cuda.NativeLength("libtorch.so"), packed.Cuda.NativeLength("libtorch_cuda.so")));
        Assert.NotEqual(4L, packed.Plain.NativeLength("libtorch.so"));
        Assert.Single(packed.Cuda.Dependencies.Split('\n'), l => l.Contains($"{PackedPackages.Runtime}/native/libtorch.so\"", StringComparison.Ordinal));
    }

    /// <summary>The sample takes a minute, so a build of all is among the long tests; this one is made each time.</summary>
    [LinuxFact]
    public void TheRepositorysOwnSwitch_BuildsDsdOnnxWithTheGpuPackage()
    {
        (int code, string output, string dependencies) = packed.BuildOnnxAlone();
        Assert.True(code == 0, output);
        Assert.Contains($"\"Microsoft.ML.OnnxRuntime.Gpu\": \"{PackedPackages.GpuVersion}\"", dependencies, StringComparison.Ordinal);
        Assert.Contains($"runtimes/{PackedPackages.Runtime}/native/{OnnxCudaProvider}", dependencies, StringComparison.Ordinal);
        Assert.DoesNotContain("\"Microsoft.ML.OnnxRuntime/", dependencies, StringComparison.Ordinal);
    }

    [Trait("Category", "Long")]
    [LinuxFact]
    public void TheRepositorysOwnSwitch_BuildsWithTheGpuPackage()
    {
        (int code, string output) = packed.BuildWithOnnxCuda();
        Assert.True(code == 0, output);
        string native = Path.Combine(packed.Artifacts, "bin", "Quickstart", "release", "runtimes", PackedPackages.Runtime, "native");
        Assert.True(File.Exists(Path.Combine(native, OnnxCudaProvider)), output);
        Assert.Equal(InCache("microsoft.ml.onnxruntime.gpu.linux", OnnxLibrary), File.ReadAllBytes(Path.Combine(native, OnnxLibrary)).Length);
    }

    [Theory]
    [InlineData("DsdCuda=true", "-p:DsdOnnxCuda=true")]
    [InlineData("DsdOnnxCuda=1", "must be true or false")]
    [InlineData("DsdTorchCuda=12.8", "must be true or false")]
    public void AnUnknownSwitch_IsRefused(string property, string said)
    {
        (int code,
         string output) = DotnetCommand.Run(Fixtures.Repository, "build", Path.Combine("src", "Dsd.Imaging", "Dsd.Imaging.csproj"), $"-p:{property}",
         "--artifacts-path", packed.Artifacts);
        Assert.NotEqual(0, code);
        Assert.Contains(said, output);
    }

    [Fact]
    public void EachPackage_HasAReadmeOfItsOwn_AnIcon_TagsAndSymbols()
    {
        Assert.NotEmpty(packed.OwnPackages);
        Assert.All(packed.OwnPackages, package =>
        {
            string name = Path.GetFileName(package);
            string id = name[..name.IndexOf(".0.1.0", StringComparison.Ordinal)];
            Assert.True(File.Exists(Path.ChangeExtension(package, ".snupkg")), $"{name} has no symbols.");
            using ZipArchive archive = ZipFile.OpenRead(package);
            string readme = Text(archive, "README.md"), nuspec = Text(archive, $"{id}.nuspec");
            Assert.StartsWith($"# {id}\n", readme.ReplaceLineEndings("\n"), StringComparison.Ordinal);
            Assert.Contains($"dotnet add package {id}", readme, StringComparison.Ordinal);
            // A link of the repository's own would lead nowhere: its address is not known here.
            Assert.DoesNotContain("](..", readme, StringComparison.Ordinal);
            Assert.NotNull(archive.GetEntry("icon.png"));
            Assert.Contains("<icon>icon.png</icon>", nuspec, StringComparison.Ordinal);
            Assert.Contains("mlnet", nuspec, StringComparison.Ordinal);
            Assert.DoesNotContain("<repository type=\"git\" url", nuspec, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void WhereTheRepositoryIsKnown_AReadmeLinksThere()
    {
        string readme = packed.ReadmeWithRepository("Dsd.Onnx", "https://example.com/owner/name");
        Assert.Contains("(https://example.com/owner/name/blob/HEAD/docs/onnx.md)", readme, StringComparison.Ordinal);
        Assert.DoesNotContain("](..", readme, StringComparison.Ordinal);
    }

    /// <summary>README's own lines, in a folder that has nothing but what they name.</summary>
    [Trait("Category", "Long")]
    [Fact]
    public void TheReadmesProgram_RunsFromPackages()
    {
        ConsumerProject readme = packed.Readme();
        (int code, string output) = readme.Build();
        Assert.True(code == 0, output);
        (code, output) = readme.Run(new Dictionary<string, string?>());

        Assert.True(code == 0, output);
        Assert.Equal(128, Dsd.Imaging.Picture.Load(readme.File("drawn.png")).Width);
    }

    /// <summary>Drawing for others without libtorch: 440 MB less.</summary>
    [Trait("Category", "Long")]
    [Fact]
    public void AServingProgram_DrawsFromPackages_WithoutLibtorch()
    {
        ConsumerProject serving = packed.Serving();
        (int code, string output) = serving.Build();
        Assert.True(code == 0, output);
        (code, output) = serving.Run(new Dictionary<string, string?>(), Path.Combine(Fixtures.Repository, "samples", "Chain", "reference.png"));

        Assert.True(code == 0, output);
        Assert.Contains("image/png", output, StringComparison.Ordinal);
        Assert.DoesNotContain("libtorch-", serving.Assets, StringComparison.Ordinal);
        Assert.Null(serving.NativeLength("libtorch_cpu.so"));
        Assert.InRange(packed.Plain.NativeLength("libtorch_cpu.so") ?? 0, 400_000_000, long.MaxValue);
    }

    /// <summary>The tool as its users get it: packed, installed into an empty folder, and drawing from there.</summary>
    [Trait("Category", "Long")]
    [Fact]
    public void TheTool_IsInstalledFromItsPackage_AndDraws()
    {
        (int code, string output) = packed.PackTool();
        Assert.True(code == 0, output);
        string[] tools = Directory.GetFiles(packed.ToolFeed, "*.nupkg");
        // One for each of three systems, and one that names them.
        Assert.Equal(4, tools.Length);
        Assert.All(tools, package => Assert.InRange(new FileInfo(package).Length, 1000, 250_000_000));

        (code, output) = packed.InstallTool();
        Assert.True(code == 0, output);
        (code, output) = packed.RunTool("generate", "--model", "tiny", "--prompt", "a red round creature", "--steps", "1", "--out", "drawn.png");

        Assert.True(code == 0, output);
        Assert.Equal(128, Dsd.Imaging.Picture.Load(Path.Combine(packed.ToolFeed, "drawn.png")).Width);
    }

    /// <summary>What is known to break with a next version, or may by its own rule: docs/decisions/packages.md.</summary>
    [Theory]
    [InlineData("Dsd.MLNet", "Microsoft.ML", "[5.0.1]")]
    [InlineData("Dsd.MLNet", "Microsoft.ML.OnnxTransformer", "[5.0.1]")]
    [InlineData("Dsd.Imaging", "SkiaSharp", "[2.88.9, 3.0.0)")]
    [InlineData("Dsd.Imaging.ImageSharp", "SixLabors.ImageSharp", "[2.1.13, 3.0.0)")]
    [InlineData("Dsd.Models", "TorchSharp", "[0.107.0, 0.108.0)")]
    [InlineData("Dsd.Dataset", "Parquet.Net", "[6.1.0, 7.0.0)")]
    public void APackage_EndsBelowTheVersionThatBreaks(string package, string needs, string versions)
    {
        using ZipArchive archive = ZipFile.OpenRead(packed.OwnPackages.Single(p => Path.GetFileName(p).StartsWith($"{package}.0", StringComparison.Ordinal)));
        Assert.Contains($"<dependency id=\"{needs}\" version=\"{versions}\"", Text(archive, $"{package}.nuspec"), StringComparison.Ordinal);
    }

    [Fact]
    public void WithSkiaSharp4_TheBuildStops()
    {
        (int code, string output) = packed.BuildWithSkiaSharp("4.155.0");
        Assert.NotEqual(0, code);
        Assert.Contains("DSD0001", output, StringComparison.Ordinal);
        Assert.Contains("resolves SkiaSharp 4.155.0", output, StringComparison.Ordinal);
    }

    [Fact]
    public void ATrimmedProgram_IsWarnedOf()
    {
        (int code, string output) = packed.Plain.Target("DsdWarnOfTrimming", "-p:PublishTrimmed=true");
        Assert.Equal(0, code);
        Assert.Contains("DSD0002", output, StringComparison.Ordinal);
        Assert.DoesNotContain("DSD0002", packed.Plain.Target("DsdWarnOfTrimming").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void ThePackages_DoNotSayWhereTheyWereBuilt()
    {
        string[] packages = Directory.GetFiles(packed.Feed, "Dsd.*.nupkg");
        Assert.NotEmpty(packages);
        foreach (string package in packages)
        {
            using ZipArchive archive = ZipFile.OpenRead(package);
            Assert.All(archive.Entries, entry =>
            {
                using MemoryStream content = new();
                using Stream packedContent = entry.Open();
                packedContent.CopyTo(content);
                AssertNamesNoFolder(content.ToArray());
            });
        }
    }

    [Fact]
    public void TheirDebugSymbols_DoNotSayItEither()
    {
        string[] symbols =
        [
            .. Directory.GetFiles(packed.Artifacts, "Dsd.*.pdb", SearchOption.AllDirectories)
                .Where(f => Path.GetFileName(Path.GetDirectoryName(f)) == "release"),
        ];
        Assert.NotEmpty(symbols);
        Assert.All(symbols, file =>
        {
            AssertNamesNoFolder(File.ReadAllBytes(file));
            using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(file));
            MetadataReader reader = provider.GetMetadataReader();
            Assert.All(reader.Documents, d => Assert.StartsWith("/_", reader.GetString(reader.GetDocument(d).Name)));
        });
    }

    private void AssertNamesNoFolder(byte[] content) => Assert.All(packed.Builders, folder =>
    {
        Assert.Equal(-1, content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(folder)));
        Assert.Equal(-1, content.AsSpan().IndexOf(Encoding.Unicode.GetBytes(folder)));
    });

    private static string Text(ZipArchive archive, string entry)
    {
        using StreamReader reader = new(archive.GetEntry(entry)!.Open());
        return reader.ReadToEnd();
    }

    private long InCache(string package, string library)
    {
        string versions = Path.Combine(packed.Builders.Last(), package);
        string used = Directory.GetDirectories(versions).Single(
            v => packed.Cuda.Assets.Contains($"{package}/{Path.GetFileName(v)}\"", StringComparison.OrdinalIgnoreCase));
        return new FileInfo(Path.Combine(used, "runtimes", PackedPackages.Runtime, "native", library)).Length;
    }

    private static IEnumerable<string> Files(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)
        : [];
}
