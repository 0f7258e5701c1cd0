using System.Reflection;
using PublicApiGenerator;

namespace Dsd.Architecture.Tests;

/// <summary>
/// What is public is decided: each package's list lies in <c>PublicApi</c>. After a change on purpose, run with <c>DSD_ACCEPT=1</c> and look at the
/// difference.
/// </summary>
public sealed class PublicApiTests
{
    public static TheoryData<string> Packages =>
    [
        .. SourceTree.Projects.Values
            .Where(p => p.Folder.StartsWith("src/", StringComparison.Ordinal))
            .Select(p => p.Name)
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Packages))]
    public void Public_IsWhatWasDecided(string package)
    {
        string list = Assembly.Load(package).GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }) + "\n";
        Accepted.Compare(Path.Combine(SourceTree.Root, "tests", "Dsd.Architecture.Tests", "PublicApi", $"{package}.txt"), list);
    }
}
