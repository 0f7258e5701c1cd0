using Dsd.Evaluation.Judged;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests.Judged;

public sealed class RubricsTests
{
    [Fact]
    public void AFolder_PutsItsTextsInTheirPlace_AndLeavesTheOthers()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("user_prompt_subject_full.txt"), "Mine.\n");
        Rubrics rubrics = Rubrics.Of(folder.Path);

        Assert.Equal("Mine.", rubrics.Text("user_prompt_subject_full.txt"));
        Assert.Equal(Rubrics.Own.Text("gpt_prompt_subject_full.txt"), rubrics.Text("gpt_prompt_subject_full.txt"));
    }

    [Fact]
    public void AFolderWithoutAny_AnEmptyFile_AndAnUnknownName_AreRefused()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("user_prompt_subject_full.txt", Assert.Throws<InvalidDataException>(() => Rubrics.Of(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => Rubrics.Of(folder.File("none")));

        File.WriteAllText(folder.File("omnicontext_pf.txt"), " ");
        Assert.Throws<InvalidDataException>(() => Rubrics.Of(folder.Path).Text("omnicontext_pf.txt"));
        Assert.Throws<ArgumentException>(() => Rubrics.Own.Text("../secret.txt"));
    }

    [Fact]
    public void EveryRubricOfContextBenchmarks_HasAPlaceForTheInstruction() => Assert.All(
        Rubrics.Names.Where(n => n.StartsWith("omnicontext", StringComparison.Ordinal) || n.StartsWith("osbench", StringComparison.Ordinal)),
        name => Assert.Contains("<instruction>", Rubrics.Own.Text(name), StringComparison.Ordinal));
}
