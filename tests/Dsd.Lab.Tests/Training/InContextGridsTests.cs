using Dsd.Curation.Grids;
using Dsd.Lab.Training;
using Dsd.Tiny;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Training;

public sealed class InContextGridsTests
{
    private static readonly char[] Separators = [' ', '.', ',', ':'];

    [Fact]
    public void Draw_SaysOneThingOfItsSubjectAtMostAndNothingWrong()
    {
        int unnamed = 0;
        foreach ((WorldGrid grid, Caption caption) in Drawn())
        {
            Assert.True(grid.IsConsistent);
            Assert.True(Captions.CountTokens(caption.Text) <= Captions.MaxTokens, caption.Text);
            int[] stated = [.. Enumerable.Range(0, Subject.Kinds.Count).Where(caption.StatesSubject)];
            Assert.InRange(stated.Length, 0, 1);
            unnamed += stated.Length == 0 ? 1 : 0;
            // The panels' sentences come behind the subject, and speak of contexts alone.
            string subject = caption.Text.Split(". ")[0];
            foreach ((string[][] words, int attribute) in new[]
            {
                (CaptionVocabulary.Patterns, 2), (CaptionVocabulary.Eyes, 4), (CaptionVocabulary.Ears, 5), (CaptionVocabulary.Mouths, 6),
            })
            {
                for (int value = 0; value < words.Length; value++)
                {
                    bool said = words[value].Any(word => subject.Contains(word.Replace("{0}", "", StringComparison.Ordinal), StringComparison.Ordinal));
                    bool may = stated.Contains(attribute) && grid.Subject.Values[attribute] == value;
                    Assert.True(may || !said || stated is [0], $"'{caption.Text}' says {words[value][0]}, but shows {grid.Subject}");
                }
            }
        }
        Assert.InRange(unnamed, 400, 800);
    }

    [Fact]
    public void Draw_UsesWordsThatThePackagedTokenizersKnow()
    {
        HashSet<string> known = [.. Captions.Corpus(1).Take(20_000).SelectMany(text => text.Split(Separators, StringSplitOptions.RemoveEmptyEntries))];
        TinyTokens tokens = TinyTokens.Load(TinyModel.Folder, 64);
        // T5's id 2 is the unknown word.
        long unknown = tokens.Encode("xylophone").T5[0];

        foreach ((_, Caption caption) in Drawn())
        {
            Assert.All(caption.Text.Split(Separators, StringSplitOptions.RemoveEmptyEntries), word => Assert.Contains(word, known));
            Assert.DoesNotContain(unknown, tokens.Encode(caption.Text).T5);
        }
    }

    [Fact]
    public void Draw_IsTheSameForTheSameRandomNumbers() =>
        Assert.Equal(Drawn().Take(50).Select(drawn => drawn.Caption.Text), Drawn().Take(50).Select(drawn => drawn.Caption.Text));

    private static IEnumerable<(WorldGrid Grid, Caption Caption)> Drawn()
    {
        WorldRandom random = new(3);
        for (int i = 0; i < 400; i++)
        {
            yield return InContextGrids.Draw(random, GridLayout.OneByTwo);
            yield return InContextGrids.Draw(random, GridLayout.TwoByTwo);
            yield return InContextGrids.DrawRelit(random);
        }
    }
}
