using System.Text;
using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Tasks;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Tests;

/// <summary>Files that people write by hand, as their editors save them.</summary>
public sealed class TextFilesTests
{
    private const string Models = """{"judge":{"ask":["größe"]}}""";
    private const string Prices = """{"größe":{"input":1,"output":2}}""";
    private const string Templates = """{"sheets":["{subject}: {panels}"]"""
        + ""","panel":"{context}","caption":"{context}","separator":"; ","contexts":["größer","small"]}""";

    public static TheoryData<string, string> Files => new()
    {
        { "chat", Models },
        { "prices", Prices },
        { "templates", Templates },
        { "task", """{"name":"a","about":"größe","layout":"1x2"}""" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Load_PassesOverAByteOrderMark(string kind, string text)
    {
        using TemporaryFolder folder = new();
        string file = folder.File("a.json");
        File.WriteAllText(file, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        string without = Outcome(kind, file);
        Assert.Contains("größe", without, StringComparison.Ordinal);
        File.WriteAllText(file, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.Equal(without, Outcome(kind, file));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Load_OfBytesThatAreNotUtf8_NamesTheFile(string kind, string text)
    {
        using TemporaryFolder folder = new();
        string file = folder.File("a.json");
        File.WriteAllBytes(file, Encoding.Latin1.GetBytes(text));

        string outcome = Outcome(kind, file);

        Assert.StartsWith("InvalidDataException", outcome, StringComparison.Ordinal);
        Assert.Contains(file, outcome, StringComparison.Ordinal);
    }

    private static string Outcome(string kind, string file)
    {
        try
        {
            return kind switch
            {
                "chat" => string.Join(' ', ChatSettings.Load(file).Judge.Ask),
                "prices" => string.Join(' ', PriceList.Load(file).Prices.Keys),
                "templates" => string.Join(' ', GridTemplates.Load(file).Contexts),
                _ => CurationTask.Load(file).About,
            };
        }
        catch (Exception e)
        {
            return $"{e.GetType().Name}: {e.Message}";
        }
    }
}
