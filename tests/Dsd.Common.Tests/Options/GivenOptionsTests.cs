using Dsd.Common.Options;

namespace Dsd.Common.Tests.Options;

public sealed class GivenOptionsTests
{
    [Fact]
    public void Over_WritesWhatWasGiven_AlsoWhereItIsTheDefault()
    {
        Sample merged = new Sample { Steps = 28 }.Over(new Sample { Steps = 4, Width = 64 });
        Assert.Equal((28, 64), (merged.Steps, merged.Width));
    }

    [Fact]
    public void With_KeepsTheNotesOfBoth()
    {
        Sample given = new Sample { Steps = 5 } with { Width = 7 };
        Sample merged = given.Over(new Sample { Steps = 1, Width = 2, Name = "preset" });
        Assert.Equal((5, 7, "preset"), (merged.Steps, merged.Width, merged.Name));
    }

    [Fact]
    public void Over_LeavesBothRecordsAsTheyWere()
    {
        Sample preset = new() { Steps = 1 };
        _ = new Sample { Steps = 2 }.Over(preset);
        Assert.Equal(1, preset.Steps);
    }

    [Fact]
    public void TheNotes_CountForNothingWhenRecordsAreCompared()
    {
        Assert.Equal(new Sample(), new Sample { Steps = 28 });
        Assert.Equal(new Sample().GetHashCode(), new Sample { Steps = 28 }.GetHashCode());
        Assert.NotEqual(new Sample(), new Sample { Steps = 29 });
    }

    private sealed record Sample
    {
        private GivenOptions _given;

        public int Steps { get; init => field = _given.Note(value); } = 28;

        public int Width { get; init => field = _given.Note(value); } = 512;

        public string? Name { get; init => field = _given.Note(value); }

        public Sample Over(Sample preset) => _given.Over(this, preset with { });
    }
}
