using System.Diagnostics;
using System.Text.RegularExpressions;
using Dsd.Testing;

namespace Dsd.MLNet.Tests;

/// <summary>
/// Packs the libraries into a folder, and builds and runs a program that references them from there, outside this repository: what a user of
/// the packages gets, native libraries on older Linux and the embedded model included.
/// </summary>
[Trait("Category", "Package")]
public sealed class PackageTests(PackageTests.Consumer consumer) : IClassFixture<PackageTests.Consumer>
{
    [Fact]
    public void APackagesConsumer_Builds() => Assert.True(consumer.Build.Code == 0, consumer.Build.Output);

    [Fact]
    public void APackagesConsumer_ComputesWithTorch() => Assert.Contains("torch: 10", consumer.Run.Output);

    [Fact]
    public void APackagesConsumer_LoadsTheTeacherAndDrawsASheet() => Assert.Contains("sheet: 64 x 32", consumer.Run.Output);

    [Fact]
    public void APackagesConsumer_ExportsAndGeneratesThroughOnnxRuntime() => Assert.Contains("generated: 32 x 32", consumer.Run.Output);

    [Fact]
    public void APackagesConsumer_EndsWell() => Assert.True(consumer.Run.Code == 0, consumer.Run.Output);

    [Fact]
    public void APackagesConsumer_HasTheEmbeddedModelBesideIt() => Assert.Equal(
        Files(Path.Combine(AppContext.BaseDirectory, "dsd-tiny")),
        Files(Path.Combine(consumer.Folder, "bin", "Release", "net10.0", "dsd-tiny")));

    [Fact]
    public void ThePackages_AskNobodyForMonoCecil() => Assert.DoesNotContain("Mono.Cecil", File.ReadAllText(Path.Combine(consumer.Folder, "obj", "project.assets.json")));

    private static IEnumerable<string> Files(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)
        : [];

    /// <summary>Packs, builds and runs once for all tests of the class.</summary>
    public sealed class Consumer : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Consumer()
        {
            // A version of its own each time: the packages go through the user's package cache, which keeps what it has seen.
            string version = $"0.1.0-test.{DateTime.UtcNow:yyyyMMddHHmmss}.{Environment.ProcessId}";
            string feed = _folder.File("feed");
            Directory.CreateDirectory(Folder);
            Version = version;
            Build = Pack(feed, version);
            if (Build.Code == 0)
            {
                WriteProject(feed, version);
                Build = Dotnet(Folder, "build", "-c", "Release");
            }
            Run = Build.Code == 0
                ? Dotnet(Folder, "exec", Path.Combine(Folder, "bin", "Release", "net10.0", "Consumer.dll"), OwnFixtures.TinyFlux, OwnFixtures.TinyDsd)
                : (Build.Code, "The consumer was not built.");
        }

        public string Folder => _folder.File("consumer");

        public (int Code, string Output) Build { get; }

        public (int Code, string Output) Run { get; }

        private string Version { get; }

        public void Dispose()
        {
            string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
                ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
            foreach (string project in Projects)
            {
                string cached = Path.Combine(packages, project.ToLowerInvariant(), Version);
                if (Directory.Exists(cached))
                {
                    Directory.Delete(cached, recursive: true);
                }
            }
            _folder.Dispose();
        }

        private static string[] Projects => [.. Directory.GetDirectories(Path.Combine(Fixtures.Repository, "src")).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

        private (int Code, string Output) Pack(string feed, string version)
        {
            // Built beside the repository's own output, which other tests are using at this moment.
            string artifacts = _folder.File("artifacts");
            (int Code, string Output) packed = (0, "");
            foreach (string project in Projects)
            {
                packed = Dotnet(
                    Fixtures.Repository, "pack", Path.Combine("src", project, $"{project}.csproj"), "-c", "Release", "-o", feed, "--artifacts-path", artifacts, $"-p:Version={version}");
                if (packed.Code != 0)
                {
                    break;
                }
            }
            return packed;
        }

        private void WriteProject(string feed, string version)
        {
            File.WriteAllText(Path.Combine(Folder, "nuget.config"), $"""
                <configuration>
                  <packageSources>
                    <add key="packed" value="{feed}" />
                  </packageSources>
                </configuration>
                """);
            File.WriteAllText(Path.Combine(Folder, "Consumer.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <OutputType>Exe</OutputType>
                    <TargetFramework>net10.0</TargetFramework>
                    <ImplicitUsings>enable</ImplicitUsings>
                    <NoWarn>NU1603</NoWarn>
                    <CreateSymbolicLinksForCopyLocalIfPossible>true</CreateSymbolicLinksForCopyLocalIfPossible>
                  </PropertyGroup>
                  <ItemGroup>
                    <PackageReference Include="Dsd.MLNet" Version="{version}" />
                  </ItemGroup>
                </Project>
                """);
            File.WriteAllText(Path.Combine(Folder, "Program.cs"), """
                using Dsd.Curation.Grids;
                using Dsd.MLNet;
                using Dsd.Models.Sampling;
                using Microsoft.ML;
                using Microsoft.ML.Data;
                using Microsoft.ML.Transforms.Image;
                using TorchSharp;

                MLContext ml = new();

                IDataView captions = ml.Data.LoadFromEnumerable([new Caption { Text = "a fox" }]);
                using var teacher = new GridGenerator(ml, new GridGeneratorOptions
                {
                    Model = args[0],
                    CaptionColumn = "Text",
                    Layout = GridLayout.OneByTwo,
                    Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1, MaxTextTokens = 64 },
                }).Fit(captions);
                Sheet sheet = ml.Data.CreateEnumerable<Sheet>(teacher.Transform(captions), reuseRowObject: false).Single();
                Console.WriteLine($"sheet: {sheet.Grid.Width} x {sheet.Grid.Height}");

                Console.WriteLine($"torch: {torch.arange(5).sum().ToInt64()}");

                IDataView references = ml.Data.LoadFromEnumerable([new Reference { Image = sheet.Grid, Prompt = "on the moon" }]);
                var generator = new DsdGenerator(ml, new DsdGeneratorOptions
                {
                    Model = args[0],
                    ReleaseFolder = args[1],
                    ReferenceColumn = "Image",
                    Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1, MaxTextTokens = 64 },
                }).Fit(references);
                ml.Model.Save(generator, references.Schema, "generator.zip");
                generator.Dispose();
                var loaded = ml.Model.Load("generator.zip", out _);
                Drawn drawn = ml.Data.CreateEnumerable<Drawn>(loaded.Transform(references), reuseRowObject: false).Single();
                Console.WriteLine($"generated: {drawn.Generated.Width} x {drawn.Generated.Height}");
                ((IDisposable)loaded).Dispose();

                public class Caption { public string Text { get; set; } }
                public class Sheet { [ImageType(32, 64)] public MLImage Grid { get; set; } }
                public class Reference { [ImageType(32, 64)] public MLImage Image { get; set; } public string Prompt { get; set; } }
                public class Drawn { [ImageType(32, 32)] public MLImage Generated { get; set; } }
                """);
        }

        private static (int Code, string Output) Dotnet(string folder, params string[] arguments)
        {
            ProcessStartInfo start = new("dotnet")
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (string argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }
            // The test host's own settings must not reach another build: where MSBuild and the SDK lie, and what they were told.
            foreach (string name in start.Environment.Keys.Where(k => Regex.IsMatch(k, "^(MSBUILD|VSTEST|DOTNET_HOST|TESTINGPLATFORM)", RegexOptions.IgnoreCase)).ToArray())
            {
                start.Environment.Remove(name);
            }
            start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
            start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, $"dotnet {string.Join(' ', arguments)}\n{output}{errors.Result}");
        }
    }
}
