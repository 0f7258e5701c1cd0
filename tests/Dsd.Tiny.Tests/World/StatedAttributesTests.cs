using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.World;

public sealed class StatedAttributesTests
{
    private readonly WorldRandom _random = new(7);

    [Fact]
    public void WhatCaptionsState_IsFoundInThem_AndNothingElse() => Assert.All(Enumerable.Range(0, 3000), i =>
    {
        Subject subject = WorldSampler.SampleSubject(_random);
        Context context = WorldSampler.SampleContext(_random);
        Caption caption = (i % 3) switch
        {
            0 => Captions.Full(subject, context, _random.NextBits()),
            1 => Captions.Single(subject, context, _random.NextBits()),
            _ => Captions.Edit(context, _random.NextBits()),
        };
        int[] values = [.. subject.Values, .. context.Values];
        int stated = Said(subject, caption.SubjectMask) | caption.ContextMasks[0] << Subject.Kinds.Count;

        Assert.Equal(
            Enumerable.Range(0, values.Length).Where(a => (stated >> a & 1) == 1).Select(a => $"{StatedAttributes.Kinds[a].Name} {values[a]}"),
            StatedAttributes.Of(caption.Text).Select(f => $"{StatedAttributes.Kinds[f.Key].Name} {f.Value}"));
    });

    [Theory]
    [InlineData("a photo of a dog wearing a suit", 0)]
    [InlineData("", 0)]
    [InlineData("THE CREATURE, Lying Down, at night!", 2)]
    public void OtherTexts_StateOnlyWhatIsOfTheWorld(string text, int stated) => Assert.Equal(stated, StatedAttributes.Of(text).Count);

    // A colour of what is not there is not said.
    private static int Said(Subject subject, int mask) =>
        mask & ~(subject.Pattern == Pattern.Plain ? 1 << 3 : 0) & ~(subject.Accessory == Accessory.None ? 1 << 8 : 0);
}
