using System.IO.Compression;

namespace Dsd.MLNet.Tests.Packages;

/// <summary>A small package in place of one of several gigabytes.</summary>
internal static class FakePackage
{
    /// <summary>Like the packages of TorchSharp's CUDA build: they name themselves in a property and bring native libraries.</summary>
    public static void WriteCudaTorch(string feed, string id, string version, params IEnumerable<string> libraries)
    {
        using ZipArchive package = ZipFile.Open(Path.Combine(feed, $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
        void Add(string name, string content)
        {
            using StreamWriter writer = new(package.CreateEntry(name).Open());
            writer.Write(content);
        }
        Add($"{id}.nuspec", $"""
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
              <metadata><id>{id}</id><version>{version}</version><authors>tests</authors><description>In place of a large one.</description></metadata>
            </package>
            """);
        Add(
            $"buildTransitive/netstandard2.0/{id}.props",
            "<Project><PropertyGroup><TorchSharpCudaPackage>true</TorchSharpCudaPackage></PropertyGroup></Project>");
        Add("lib/netstandard2.0/_._", "");
        foreach (string library in libraries)
        {
            Add($"runtimes/{PackedPackages.Runtime}/native/{library}", "CUDA");
        }
    }
}
