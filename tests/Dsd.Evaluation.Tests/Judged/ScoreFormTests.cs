using Dsd.Evaluation.Judged;

namespace Dsd.Evaluation.Tests.Judged;

public sealed class ScoreFormTests
{
    [Theory]
    [InlineData("Score: 3", 3)]
    [InlineData("score: 0", 0)]
    [InlineData("Analysis: the fox is there.\nScore: 4", 4)]
    [InlineData("**Score:** 2.", 2)]
    [InlineData("Score: [1]\n", 1)]
    public void ALine_GivesItsScore(string answer, int score) => Assert.Equal(score, ScoreForm.Line(4).Read(answer).Score);

    [Theory]
    [InlineData("", "no 'Score:'")]
    [InlineData("3", "no 'Score:'")]
    [InlineData("Score: 5", "Score: 5")]
    [InlineData("Score: -1", "Score: -1")]
    [InlineData("Score: 3.5", "Score: 3.5")]
    [InlineData("Score: 3/4", "Score: 3/4")]
    [InlineData("Score: Good 3", "Score: Good 3")]
    [InlineData("Score: 3 and then Score: 4", "Score: 3 and")]
    [InlineData("Score: 1\nScore: 4", "2 of them")]
    [InlineData("Score: ３", "Score: ３")]
    public void AnotherLine_IsRefused_WithWhatWasFound(string answer, string found)
    {
        FormatException e = Assert.Throws<FormatException>(() => ScoreForm.Line(4).Read(answer));

        Assert.Contains("from 0 to 4", e.Message, StringComparison.Ordinal);
        Assert.Contains(found, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEndlessAnswer_IsRefused() => Assert.Throws<FormatException>(() => ScoreForm.Line(4).Read(new string('a', 40_000) + "Score: 1"));

    [Theory]
    [InlineData("""{"score": 7, "reasoning": "two small differences"}""", 7)]
    [InlineData("""```json {"score": 10, "reasoning": "all of it"} ```""", 10)]
    public void AnObject_GivesItsScore(string answer, int score) => Assert.Equal(score, ScoreForm.Json(10).Read(answer).Score);

    [Theory]
    [InlineData("""{"score": 11, "reasoning": "x"}""")]
    [InlineData("""{"score": "7", "reasoning": "x"}""")]
    [InlineData("""{"score": 7.5, "reasoning": "x"}""")]
    [InlineData("""{"score": 7}""")]
    [InlineData("""{"score": 7, "reasoning": "x", "more": 1}""")]
    [InlineData("7")]
    public void AnotherObject_IsRefused(string answer) => Assert.Throws<FormatException>(() => ScoreForm.Json(10).Read(answer));
}
