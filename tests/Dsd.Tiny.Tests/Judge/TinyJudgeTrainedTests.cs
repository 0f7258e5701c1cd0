using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.Judge;

/// <summary>The embedded judge on subjects that it never saw in training.</summary>
[Collection("Torch's random numbers")]
public sealed class TinyJudgeTrainedTests : IDisposable
{
    private const int Pairs = 60;

    private readonly TinyJudge _judge = TinyJudge.Load(TinyModel.JudgeFolder);
    private readonly WorldRandom _random = new(20);

    public void Dispose() => _judge.Dispose();

    [Fact]
    public void Compare_FindsTheSameSubjectInAPictureAndItself() => Assert.All(
        Enumerable.Range(0, 20).Select(_ => Draw(Sample())), picture => Assert.True(_judge.Compare(picture, picture).Same));

    [Fact]
    public void Compare_FindsTheSameSubjectInOtherContexts() => Assert.InRange(
        Enumerable.Range(0, Pairs).Select(_ => Sample()).Count(subject => _judge.Compare(Draw(subject), Draw(subject)).Same), 0.8 * Pairs, Pairs);

    [Fact]
    public void Compare_TellsClearlyDifferentSubjectsApart() => Assert.InRange(
        Enumerable.Range(0, Pairs).Count(_ => !_judge.Compare(Draw(Sample()), Draw(Sample())).Same), 0.98 * Pairs, Pairs);

    [Fact]
    public void Agreement_IsLowerForSlightlyChangedSubjects() => Assert.InRange(
        Enumerable.Range(0, Pairs).Select(_ => Sample()).Count(subject =>
            _judge.Agreement(Draw(subject), Draw(subject)) > _judge.Agreement(Draw(subject), Draw(WorldSampler.Change(subject, _random, heldOut: true)))),
        0.9 * Pairs,
        Pairs);

    [Fact]
    public void Compare_NamesWhatDiffers()
    {
        int named = Enumerable.Range(0, Pairs).Count(_ =>
        {
            Subject subject = Sample() with { Accessory = Accessory.None, AccessoryColor = AccessoryColor.None };
            AccessoryColor color = Enum.GetValues<AccessoryColor>().First(c => (subject with { Accessory = Accessory.Crown, AccessoryColor = c }).IsValid);
            Verdict verdict = _judge.Compare(Draw(subject), Draw(subject with { Accessory = Accessory.Crown, AccessoryColor = color }));
            return verdict.Differences.Any(difference => difference.StartsWith("the crown is missing in A", StringComparison.Ordinal));
        });
        Assert.InRange(named, 0.8 * Pairs, Pairs);
    }

    private Subject Sample() => WorldSampler.SampleSubject(_random, heldOut: true);

    private Picture Draw(Subject subject) => Renderer.Draw(subject, WorldSampler.SampleContext(_random));
}
