using Dsd.Curation.Judging;
using Dsd.Evaluation.Agreement;

namespace Dsd.Evaluation.Tests.Agreement;

public sealed class AgreementTests
{
    private static readonly double? None = null;

    // Four observers and twelve units: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section D.
    private static readonly double?[][] Observers =
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ];

    [Theory]
    [InlineData(MeasurementLevel.Nominal, 0.743)]
    [InlineData(MeasurementLevel.Ordinal, 0.815)]
    [InlineData(MeasurementLevel.Interval, 0.849)]
    public void Alpha_IsThatOfKrippendorffsExample(MeasurementLevel level, double published) =>
        Assert.Equal(published, KrippendorffAlpha.Of(Observers, level)!.Value, 3);

    /// <summary>Two observers, nominal data: the same paper, section B, alpha = 0.692 (meetings rated a to e).</summary>
    [Fact]
    public void Alpha_IsThatOfKrippendorffsSecondExample() => Assert.Equal(0.692, KrippendorffAlpha.Of(
    [
        [1, 1, 2, 2, 4, 3, 3, 3, 5, 4, 4, 1],
        [2, 1, 2, 2, 2, 3, 3, 3, 5, 4, 4, 4],
    ],
    MeasurementLevel.Nominal)!.Value, 3);

    [Fact]
    public void Alpha_IsOneForTheSame_AndHasNoMeaningWithoutTwoRatings_OrWithoutVariety()
    {
        Assert.Equal(1, KrippendorffAlpha.Of([[1, 2, 3], [1, 2, 3]], MeasurementLevel.Ordinal));
        Assert.True(KrippendorffAlpha.Of([[1, 2], [2, 1]], MeasurementLevel.Interval) < 0);
        Assert.Null(KrippendorffAlpha.Of([[1, None], [None, 2]], MeasurementLevel.Nominal));
        Assert.Null(KrippendorffAlpha.Of([[2, 2], [2, 2]], MeasurementLevel.Nominal));
        Assert.Null(KrippendorffAlpha.Of([], MeasurementLevel.Nominal));
        Assert.Throws<ArgumentException>(() => KrippendorffAlpha.Of([[1], [1, 2]], MeasurementLevel.Nominal));
        Assert.Throws<ArgumentException>(() => KrippendorffAlpha.Of([[double.NaN], [1]], MeasurementLevel.Nominal));
    }

    /// <summary>IQ and hours of television: the worked example of Wikipedia, "Spearman's rank correlation coefficient", rho = −29/165.</summary>
    [Fact]
    public void Spearman_IsThatOfThePublishedExample() => Assert.Equal(
        -29.0 / 165, RankCorrelation.Spearman([106, 100, 86, 101, 99, 103, 97, 113, 112, 110], [7, 27, 2, 50, 28, 29, 20, 12, 6, 17])!.Value, 12);

    /// <summary>Marks in English and mathematics, with a tie: Laerd Statistics, "Spearman's Rank-Order Correlation", rho = 0.67.</summary>
    [Fact]
    public void Spearman_GivesWhatIsEqualTheMeanOfItsRanks() => Assert.Equal(
        0.67, RankCorrelation.Spearman([56, 75, 45, 71, 61, 64, 58, 80, 76, 61], [66, 70, 40, 60, 65, 56, 59, 77, 67, 63])!.Value, 2);

    [Fact]
    public void Spearman_HasNoMeaningForOneNumber_OrAllTheSame()
    {
        Assert.Null(RankCorrelation.Spearman([1], [1]));
        Assert.Null(RankCorrelation.Spearman([1, 2], [3, 3]));
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1, 2], [1]));
    }

    [Fact]
    public void TwoJudges_AreComparedOnWhatBothHaveScored()
    {
        JudgedScore[] scores =
        [
            Given("a", "one", 4), Given("a", "two", 4), Given("b", "one", 1), Given("b", "two", 2), Given("c", "one", 3), Given("c", "two", 3),
            Given("d", "one", 0), Given("d", "two", null), Given("e", "two", 1), Given("a", "three", 0), Given("a", "one", 0) with { Metric = "pf" },
        ];
        JudgeAgreement agreement = JudgeAgreement.Of(scores, "cp", "one", "two");

        Assert.Equal(3, agreement.Units);
        Assert.Equal(1, agreement.Spearman!.Value, 12);
        Assert.Equal(KrippendorffAlpha.Of([[4, 1, 3], [4, 2, 3]], MeasurementLevel.Interval), agreement.Interval);
        Assert.True(agreement.Nominal < agreement.Ordinal);
        ArgumentException unknown = Assert.Throws<ArgumentException>(() => JudgeAgreement.Of(scores, "cp", "one", "four"));
        Assert.Contains("one, two, three", unknown.Message, StringComparison.Ordinal);
    }

    private static JudgedScore Given(string item, string judge, int? score) =>
        new() { Item = item, Metric = "cp", Repeat = 0, Judge = judge, Question = "", Reason = "", Score = score };
}
