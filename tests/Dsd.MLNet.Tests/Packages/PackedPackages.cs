using System.Diagnostics;
using System.Runtime.InteropServices;
using Dsd.Testing;

namespace Dsd.MLNet.Tests.Packages;

/// <summary>
/// The libraries packed into a folder, and two programs built from there: one with what the packages bring, one that adds CUDA builds. Once for all
/// tests.
/// </summary>
public sealed class PackedPackages : IDisposable
{
    private const string FakeTorch = "libtorch-cuda-test";
    private static readonly string ReleaseOutput = Path.Combine("bin", "Release", "net10.0");
    private readonly TemporaryFolder _folder = new();

    // A version of its own each time: the packages go through the user's package cache, which keeps what it has seen.
    private readonly string _version = $"0.1.0-test.{DateTime.UtcNow:yyyyMMddHHmmss}.{Environment.ProcessId}";

    public PackedPackages()
    {
        Directory.CreateDirectory(Feed);
        Directory.CreateDirectory(Traces);
        Build = Pack();
        if (Build.Code != 0)
        {
            CudaBuild = Run = CudaRun = (Build.Code, "The packages were not packed.");
            Plain = Cuda = null!;
            return;
        }
        Plain = new ConsumerProject(_folder.File("consumer"), Feed, Source("Plain.cs"), ("Dsd.MLNet", _version));
        Build = Plain.Build();
        Run = Build.Code == 0
            ? Plain.Run(ReportsOfOnnxRuntime.AsOnAUsersMachine(Traces), OwnFixtures.TinyFlux, OwnFixtures.TinyDsd)
            : (Build.Code, "The consumer was not built.");
        // libtorch.so is among the CPU package's libraries too, libtorch_cuda.so is not.
        FakePackage.WriteCudaTorch(Feed, FakeTorch, _version, "libtorch.so", "libtorch_cuda.so");
        Cuda = new ConsumerProject(
            _folder.File("cuda"), Feed, Source("Cuda.cs"), ("Dsd.MLNet", _version), ("Microsoft.ML.OnnxRuntime.Gpu", GpuVersion), (FakeTorch, _version));
        CudaBuild = Cuda.Build();
        CudaRun = CudaBuild.Code == 0 ? Cuda.Run(new Dictionary<string, string?>()) : (CudaBuild.Code, "The consumer was not built.");
    }

    /// <summary>This machine's name in the packages' folders.</summary>
    public static string Runtime =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "linux-x64" : RuntimeInformation.RuntimeIdentifier;

    /// <summary>The version of the CUDA build that the repository's own switch takes.</summary>
    public static string GpuVersion { get; } = File.ReadLines(Path.Combine(Fixtures.Repository, "Directory.Packages.props"))
        .Single(l => l.Contains("\"Microsoft.ML.OnnxRuntime.Gpu\"", StringComparison.Ordinal)).Split('"')[3];

    public string Feed => _folder.File("feed");

    /// <summary>The packages of this repository.</summary>
    public IReadOnlyList<string> OwnPackages => Directory.GetFiles(Feed, $"Dsd.*.{_version}.nupkg");

    /// <summary>What was built on the way to the packages, or what they were made of.</summary>
    public string Artifacts => _folder.File("artifacts");

    /// <summary>Holds the plain program's temporary folder and home, which were empty.</summary>
    public string Traces => _folder.File("traces");

    public (int Code, string Output) Build { get; }

    public (int Code, string Output) Run { get; }

    public (int Code, string Output) CudaBuild { get; }

    public (int Code, string Output) CudaRun { get; }

    internal ConsumerProject Plain { get; }

    internal ConsumerProject Cuda { get; }

    /// <summary>Folders of this machine that no package may name.</summary>
    public IEnumerable<string> Builders => [Fixtures.Repository, _folder.Path, Cache];

    private static string Cache => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static string[] Projects =>
        [.. Directory.GetDirectories(Path.Combine(Fixtures.Repository, "src")).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        foreach (string package in Projects.Append(FakeTorch))
        {
            string cached = Path.Combine(Cache, package.ToLowerInvariant(), _version);
            if (Directory.Exists(cached))
            {
                Directory.Delete(cached, recursive: true);
            }
        }
        _folder.Dispose();
    }

    /// <summary>Builds a program that asks for a version of SkiaSharp, beside the package that stands on it.</summary>
    public (int Code, string Output) BuildWithSkiaSharp(string version) => new ConsumerProject(
        _folder.File("skia"), Feed, "Console.WriteLine(Dsd.Imaging.Picture.MaxSide);", ("Dsd.Imaging", _version), ("SkiaSharp", version)).Build();

    /// <summary>What the README of a package becomes where the repository's address is known.</summary>
    public string ReadmeWithRepository(string project, string repository)
    {
        string artifacts = _folder.File("readme");
        (int code, string output) = DotnetCommand.Run(
            Fixtures.Repository, "msbuild", Path.Combine("src", project, $"{project}.csproj"), "-t:DsdPackageReadme", "-p:Configuration=Release",
            $"-p:ArtifactsPath={artifacts}", "-p:_CommandLineDefinedArtifactsPath=true", $"-p:DsdRepository={repository}");
        string readme = Path.Combine(artifacts, "obj", project, "release", "package", "README.md");
        return code == 0 ? File.ReadAllText(readme) : output;
    }

    /// <summary>README's program beside what it reads.</summary>
    internal ConsumerProject Readme()
    {
        string shown = File.ReadAllText(Path.Combine(Fixtures.Repository, "README.md")).Split("```csharp")[1].Split("```")[0];
        ConsumerProject program = new(_folder.File("readme-program"), Feed, shown, ("Dsd.MLNet", _version));
        foreach (string read in new[] { "captions.txt", "reference.png" })
        {
            File.Copy(Path.Combine(Fixtures.Repository, "samples", "Chain", read), program.File(read));
        }
        return program;
    }

    /// <summary>A program that draws as an image generator, through ONNX Runtime.</summary>
    internal ConsumerProject Serving() => new(
        _folder.File("serving"), Feed, Source("Serving.cs"), ("Dsd.Extensions.AI", _version), ("Dsd.Tiny", _version));

    /// <summary>Holds the tool's packages alone.</summary>
    public string ToolFeed => Directory.CreateDirectory(_folder.File("tool-feed")).FullName;

    public (int Code, string Output) PackTool() => DotnetCommand.Run(
        Fixtures.Repository, "pack", Path.Combine("tools", "Dsd.Tools", "Dsd.Tools.csproj"), "-c", "Release", "--artifacts-path", Artifacts,
        $"-p:Version={_version}", "-o", ToolFeed);

    public (int Code, string Output) InstallTool() => DotnetCommand.Run(
        _folder.Path, "tool", "install", "Dsd.Tools", "--version", _version, "--tool-path", _folder.File("tool"), "--source", ToolFeed);

    /// <summary>Runs the installed tool in the folder of its packages.</summary>
    public (int Code, string Output) RunTool(params IEnumerable<string> arguments)
    {
        using Process tool = Process.Start(new ProcessStartInfo(_folder.File("tool", OperatingSystem.IsWindows() ? "dsd.exe" : "dsd"), arguments)
        {
            WorkingDirectory = ToolFeed,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = tool.StandardError.ReadToEndAsync();
        string output = tool.StandardOutput.ReadToEnd();
        tool.WaitForExit();
        return (tool.ExitCode, output + errors.Result);
    }

    /// <summary>Builds the sample with ONNX Runtime's CUDA build.</summary>
    public (int Code, string Output) BuildWithOnnxCuda() => DotnetCommand.Run(
        Fixtures.Repository, "build", Path.Combine("samples", "Quickstart", "Quickstart.csproj"), "-c", "Release", "--artifacts-path", Artifacts,
        $"-p:Version={_version}",
        "-p:DsdOnnxCuda=true", "-p:CreateSymbolicLinksForCopyLocalIfPossible=true");

    /// <summary>
    /// Builds Dsd.Onnx alone with ONNX Runtime's CUDA build, on the projects below it as they were compiled already: seconds, where all would take a minute.
    /// </summary>
    /// <returns>How it went, and what the library says that it needs.</returns>
    public (int Code, string Output, string Dependencies) BuildOnnxAlone()
    {
        string artifacts = _folder.File("switch");
        string[] onCompiled = CopyCompiled(artifacts, ["Dsd.Common", "Dsd.Imaging", "Dsd.Models"])
            ? ["-p:BuildProjectReferences=false", "-p:ProduceReferenceAssembly=false"]
            : [];
        (int code, string output) = DotnetCommand.Run(
            Fixtures.Repository,
            [
                "build", Path.Combine("src", "Dsd.Onnx", "Dsd.Onnx.csproj"), "-c", "Release", "--artifacts-path", artifacts, "-p:DsdOnnxCuda=true",
                .. onCompiled,
            ]);
        string dependencies = Path.Combine(artifacts, "bin", "Dsd.Onnx", "release", "Dsd.Onnx.deps.json");
        return (code, output, code == 0 ? File.ReadAllText(dependencies) : "");
    }

    // One build for all: a command for each would evaluate the projects below it again each time. Beside the repository's own output, which other tests
    // are using at this moment, and from what was compiled there for Release.
    private (int Code, string Output) Pack()
    {
        string sources = Path.Combine(Fixtures.Repository, "src");
        bool compiled = CopyCompiled(Artifacts, Projects);
        string all = _folder.File("all.proj");
        File.WriteAllText(all, $"""
            <Project>
              <ItemGroup>
                {string.Concat(Projects.Select(p => $"<Library Include=\"{Path.Combine(sources, p, $"{p}.csproj")}\" />"))}
              </ItemGroup>
              <Target Name="PackAll">
                <MSBuild Projects="@(Library)" Targets="Restore" Properties="MSBuildRestoreSessionId={Guid.NewGuid():N}" />
                <MSBuild Projects="@(Library)" Targets="Pack" Properties="NoBuild={compiled}" BuildInParallel="true" />
              </Target>
            </Project>
            """);
        return DotnetCommand.Run(
            Fixtures.Repository, "msbuild", all, "-t:PackAll", "-m", "-v:m", "-p:Configuration=Release", "-p:_IsPacking=true", $"-p:PackageOutputPath={Feed}",
            $"-p:ArtifactsPath={Artifacts}", "-p:_CommandLineDefinedArtifactsPath=true", $"-p:Version={_version}");
    }

    /// <summary>Copies what was compiled for Release in the repository to where a build with artifacts of its own looks for it.</summary>
    /// <returns>Whether it was: tests of another configuration run beside other libraries.</returns>
    private static bool CopyCompiled(string artifacts, string[] projects)
    {
        bool compiled = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar).EndsWith(ReleaseOutput, StringComparison.Ordinal);
        foreach (string project in compiled ? projects : [])
        {
            string folder = Directory.CreateDirectory(Path.Combine(artifacts, "bin", project, "release")).FullName;
            foreach (string file in Directory.GetFiles(Path.Combine(Fixtures.Repository, "src", project, ReleaseOutput), $"{project}.*"))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }
        }
        return compiled;
    }

    private static string Source(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Packages", "Programs", name));
}
