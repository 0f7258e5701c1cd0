using System.Reflection;
using System.Text.RegularExpressions;
using Dsd.MLNet;
using Microsoft.ML;

namespace Dsd.Architecture.Tests;

/// <summary>Each estimator of Dsd.MLNet has a page that begins as ML.NET's do, and tells all its options with their right defaults.</summary>
public sealed partial class StagePageTests
{
    private static readonly Type[] Public = typeof(GridGenerator).Assembly.GetExportedTypes();

    private static readonly Dictionary<string, Type> Estimators = Public.Where(t => !t.IsAbstract && Implements(t)).ToDictionary(t => t.Name);

    public static TheoryData<string> Names => [.. Estimators.Keys.Order(StringComparer.Ordinal)];

    public static TheoryData<string> Pages =>
    [
        "docs/README.md", "docs/mlnet.md",
        .. Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs", "stages"), "*.md").Select(f => $"docs/stages/{Path.GetFileName(f)}").Order(),
    ];

    [Fact]
    public void TheEstimators_AreFound() => Assert.True(Estimators.Count >= 10, string.Join(", ", Estimators.Keys));

    [Theory]
    [MemberData(nameof(Names))]
    public void AnEstimator_HasAWholePage(string estimator) => Assert.Empty(StagePage.Faults(Text(estimator), OptionsOf(estimator)));

    [Theory]
    [MemberData(nameof(Names))]
    public void TheIndex_NamesTheEstimatorItsPageAndItsMethod(string estimator)
    {
        string page = Path.GetFileName(StagePage.Of(Estimators[estimator]));
        string row = Assert.Single(
            SourceTree.Text("docs/stages/README.md").Split('\n'), line => line.StartsWith($"| [`{estimator}`]({page})", StringComparison.Ordinal));
        MethodInfo[] methods = [.. Public.SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static)).Where(m => m.ReturnType.Name == estimator)];
        Assert.NotEmpty(methods);
        Assert.Contains(methods, method => row.Contains($".{method.Name}(", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(typeof(PairsLoaderOptions), "## Options of LoadPairs")]
    [InlineData(typeof(SubjectsLoaderOptions), "## Options of LoadSubjects")]
    public void ALoader_HasAllItsOptionsOnThePage(Type options, string heading) =>
        Assert.Empty(StagePage.OptionFaults(StagePage.Section(SourceTree.Text("docs/stages/loaders.md").Split('\n'), heading), options));

    [Theory]
    [InlineData("| `BatchSize` | `4` |", "| `BatchSize` | `8` |", "the default is `4`")]
    [InlineData("| `Seed` | `null` |", "| `Seed` | `0` |", "the default is `null`")]
    [InlineData("| `BadRows` | `BadRows.Fail` |", "| `BadRows` | `BadRows.Skip` |", "the default is `BadRows.Fail`")]
    [InlineData("| `CaptionColumn` |", "| `TextColumn` |", "Option CaptionColumn of GridGeneratorOptions is not in the table")]
    [InlineData("| `CaptionColumn` |", "| `TextColumn` |", "has no option TextColumn")]
    [InlineData("| Is caching helpful? |", "| Caching |", "Expected the rows")]
    [InlineData("## Columns", "## The columns", "Expected the sections")]
    [InlineData("```csharp", "```", "no example")]
    [InlineData("| `GridPrompt` |", "| `Prompt` |", "Column GridPrompt (option GridPromptColumn)")]
    public void APageThatIsNotWhole_IsFound(string right, string wrong, string fault)
    {
        string page = Text(nameof(GridGenerator));
        Assert.Contains(right, page, StringComparison.Ordinal);
        Assert.Contains(
            StagePage.Faults(page.Replace(right, wrong), typeof(GridGeneratorOptions)), found => found.Contains(fault, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void ALink_LeadsSomewhere(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(SourceTree.Root, page))!;
        Assert.All(Link().Matches(SourceTree.Text(page)).Select(m => m.Groups[1].Value).Where(l => !l.Contains("://", StringComparison.Ordinal)), link =>
        {
            string[] parts = link.Split('#');
            string target = parts[0].Length == 0 ? Path.Combine(SourceTree.Root, page) : Path.Combine(folder, parts[0]);
            Assert.True(Path.Exists(target), $"{page}: {link} leads nowhere.");
            Assert.True(
                parts.Length == 1 || File.ReadLines(target).Any(line => line.StartsWith('#') && Anchor(line) == parts[1]),
                $"{page}: {link} names no heading of that page.");
        });
    }

    private static string Text(string estimator) => SourceTree.Text(StagePage.Of(Estimators[estimator]));

    private static Type OptionsOf(string estimator) => Assert.Single(
        Estimators[estimator].GetConstructors().SelectMany(c => c.GetParameters()).Select(p => p.ParameterType).Distinct(),
        type => type.Name.EndsWith("Options", StringComparison.Ordinal));

    private static bool Implements(Type type) => type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEstimator<>));

    // As GitHub makes it.
    private static string Anchor(string heading) => NoWord().Replace(heading.TrimStart('#', ' ').ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoWord();
}
