namespace Dsd.MLNet.Tests.Packages;

/// <summary>A program outside this repository that references packages from a folder, built and run.</summary>
internal sealed class ConsumerProject
{
    private readonly string _folder;

    public ConsumerProject(string folder, string feed, string source, params IEnumerable<(string Id, string Version)> packages)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        System.IO.File.WriteAllText(Path.Combine(folder, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <add key="packed" value="{feed}" />
              </packageSources>
            </configuration>
            """);
        System.IO.File.WriteAllText(Path.Combine(folder, "Consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <NoWarn>NU1603</NoWarn>
                <CreateSymbolicLinksForCopyLocalIfPossible>true</CreateSymbolicLinksForCopyLocalIfPossible>
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(packages.Select(p => $"<PackageReference Include=\"{p.Id}\" Version=\"{p.Version}\" />"))}
              </ItemGroup>
            </Project>
            """);
        System.IO.File.WriteAllText(Path.Combine(folder, "Program.cs"), source);
    }

    public (int Code, string Output) Build() => DotnetCommand.Run(_folder, "build", "-c", "Release");

    public (int Code, string Output) Run(IReadOnlyDictionary<string, string?> settings, params IEnumerable<string> arguments) =>
        DotnetCommand.Run(_folder, settings, ["exec", Output("Consumer.dll"), .. arguments]);

    /// <summary>Runs a target of the build, on what was restored.</summary>
    public (int Code, string Output) Target(string name, params IEnumerable<string> arguments) =>
        DotnetCommand.Run(_folder, ["msbuild", $"-t:{name}", "-p:Configuration=Release", .. arguments]);

    /// <summary>A path in the project's folder, in which it also runs.</summary>
    public string File(string name) => Path.Combine(_folder, name);

    /// <summary>A path in the build's output.</summary>
    public string Output(params string[] parts) => Path.Combine([_folder, "bin", "Release", "net10.0", .. parts]);

    /// <summary>The length of a native library for this machine in the build's output; null where it is not there.</summary>
    public long? NativeLength(string name)
    {
        FileInfo file = new(Output("runtimes", PackedPackages.Runtime, "native", name));
        return file.Exists ? ((FileInfo?)file.ResolveLinkTarget(returnFinalTarget: true) ?? file).Length : null;
    }

    /// <summary>What restoring wrote down: every package that the program has.</summary>
    public string Assets => System.IO.File.ReadAllText(Path.Combine(_folder, "obj", "project.assets.json"));

    /// <summary>What the host reads: every file that the program may load.</summary>
    public string Dependencies => System.IO.File.ReadAllText(Output("Consumer.deps.json"));
}
