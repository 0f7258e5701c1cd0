using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Lab.Study;
using Dsd.Lab.Study.Baselines;
using Dsd.Lab.Training;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Study;

/// <summary>What the study is made of, without any network.</summary>
public sealed class StudyPartsTests : IDisposable
{
    private const int Side = TinyModel.PanelSize;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cases_AreOfHeldOutSubjectsInScenesAndPosesThatTheReferenceDoesNotShow()
    {
        IReadOnlyList<StudyCase> cases = StudyCases.Draw(seed: 3, subjects: 20, prompts: 3);
        Assert.Equal(60, cases.Count);
        Assert.Equal(20, cases.Select(c => c.Subject).Distinct().Count());
        Assert.All(cases, c =>
        {
            Assert.True(WorldSampler.IsHeldOut(c.Subject));
            Assert.NotEqual(c.ReferenceContext.Scene, c.Context.Scene);
            Assert.NotEqual(c.ReferenceContext.Pose, c.Context.Pose);
            Assert.Equal(0, c.Prompt.SubjectMask);
        });
    }

    [Fact]
    public void Cases_OfASmallerStudy_AreAPartOfALargerOnes()
    {
        IReadOnlyList<StudyCase> small = StudyCases.Draw(3, 2, 2);
        IReadOnlyList<StudyCase> large = StudyCases.Draw(3, 5, 2);
        Assert.Equal(small.Select(c => (c.Subject, c.Prompt.Text, c.Seed)), large.Take(4).Select(c => (c.Subject, c.Prompt.Text, c.Seed)));
        Assert.NotEqual(small[0].Subject, StudyCases.Draw(4, 1, 1)[0].Subject);
    }

    [Fact]
    public void Text_SaysOfTheSubjectWhatTheReferencesCaptionSaysAndOfTheContextWhatThePromptSays()
    {
        Assert.All(StudyCases.Draw(5, 10, 2), c =>
        {
            Caption prompt = TextSystem.AsText(c, keepContext: false);
            Assert.Equal((c.ReferenceCaption.SubjectMask, c.Prompt.ContextMasks[0]), (prompt.SubjectMask, prompt.ContextMasks[0]));
        });
    }

    [Fact]
    public void RelightCases_ChangeTheLightAlone()
    {
        StudyConfig config = StudyConfig.Load(StudyConfig.QuickFile) with { Subjects = 3 };
        IReadOnlyList<StudyCase> cases = Relighting.Cases(config);
        Assert.Equal(6, cases.Count);
        Assert.All(cases, c =>
        {
            Assert.NotEqual(c.ReferenceContext.Light, c.Context.Light);
            Assert.Equal(c.ReferenceContext, c.Context with { Light = c.ReferenceContext.Light });
            Assert.Equal([1 << 4], c.Prompt.ContextMasks);
        });
    }

    [Fact]
    public void Parts_ComeBackAsTheyWereAndAreNotMadeTwice()
    {
        Picture[] wanted = [.. Enumerable.Range(0, 11).Select(Plain)];
        int made = 0;
        for (int run = 0; run < 2; run++)
        {
            IReadOnlyList<Picture> read = PictureParts.Complete(_folder.Path, 0, 11, 4, Side, (first, count) =>
            {
                made += count;
                return wanted[first..(first + count)];
            });
            Assert.Equal(wanted.Select(p => p.Pixels.ToArray()), read.Select(p => p.Pixels.ToArray()));
        }
        Assert.Equal(11, made);
    }

    [Theory]
    [InlineData(1, 1)] // one picture where there should be a row of eight
    [InlineData(16, 2)] // pictures of twice the size
    public void Parts_OfAnotherSize_AreRefusedByName(int width, int height)
    {
        new Picture(width * Side, height * Side, new byte[3 * width * Side * height * Side]).Save(_folder.File("000000.png"));
        PictureException e = Assert.Throws<PictureException>(
            () => PictureParts.Complete(_folder.Path, 0, 2, 4, Side, (_, _) => throw new InvalidOperationException()));
        Assert.Contains("000000.png", e.Message);
    }

    [Theory]
    [InlineData(0.90, 0.92, true)]
    [InlineData(0.88, 0.92, false)]
    public void Aims_AllowThreeHundredthsBelowThePerSubjectLora(double dsd, double tuned, bool met)
    {
        StudyAim aim = Aims(dsd, tuned, text: 0.5, uncurated: 0.6)[0];
        Assert.Equal(met, aim.Met);
        Assert.Equal(!met, aim.Found.Contains("short by 0.010", StringComparison.Ordinal));
    }

    [Fact]
    public void Aims_AskForATimeOfLessThanAThousandth()
    {
        Assert.False(Aims(0.9, 0.9, 0.5, 0.6, tuningSeconds: 10, encodingSeconds: 0.01)[2].Met);
        Assert.True(Aims(0.9, 0.9, 0.5, 0.6, tuningSeconds: 10.1, encodingSeconds: 0.01)[2].Met);
    }

    [Fact]
    public void Aims_TellNoDifferenceWithoutASign()
    {
        Assert.Contains("difference 0.000 (0.000 to 0.000)", Aims(0.9, 0.9, 0.5, 0.6)[0].Found);
    }

    [Fact]
    public void Aims_AskForIntervalsThatLieApart()
    {
        Assert.True(Aims(0.9, 0.9, 0.5, uncurated: 0.8)[4].Met);
        Assert.False(Aims(0.9, 0.9, 0.5, uncurated: 0.899, spread: 0.05)[4].Met);
    }

    [Fact]
    public void Configs_ThatComeWithThePackage_AreWhatTheyClaim()
    {
        StudyConfig full = StudyConfig.Load(StudyConfig.DefaultFile);
        Assert.True(full.Subjects >= 200 && full.Prompts == 4);
        StudyConfig quick = StudyConfig.Load(StudyConfig.QuickFile);
        Assert.True(quick.ModelsOwnStudent);
        // With so few steps nothing else can be told truly.
        Assert.Equal(["text", "dsd"], quick.Systems);
        Assert.Empty(full.LeftOut);
        // The tuned LoRA gets its best of more than three settings.
        Assert.True(full.SubjectLoraChoice!.Settings(full.SubjectTuning).Sum(s => s.Count) > 3);
    }

    [Fact]
    public void Config_WithASystemThatNobodyKnows_IsRefused()
    {
        StudyConfig quick = StudyConfig.Load(StudyConfig.QuickFile);
        Assert.Contains("'teeth'", Assert.Throws<ArgumentException>(() => quick with { Systems = ["dsd", "teeth"] }).Message);
    }

    [Fact]
    public void Choice_IsMadeOnSubjectsThatTheStudyDoesNotAskFor()
    {
        StudyConfig full = StudyConfig.Load(StudyConfig.DefaultFile);
        IReadOnlyList<StudyCase> cases = SubjectChoice.Cases(full, full.SubjectLoraChoice!);
        Assert.Equal(full.SubjectLoraChoice!.Subjects, cases.Select(c => c.Subject).Distinct().Count());
        Assert.Empty(cases.Select(c => c.Subject).Intersect(StudyCases.Draw(full.Seed, full.Subjects, 1).Select(c => c.Subject)));
    }

    [Theory]
    [InlineData(0.98, 0.6f)]
    [InlineData(0.9, 1f)]
    [InlineData(1, 0.3f)]
    public void Choice_TakesTheHighestCpThatFollowsThePrompt(double leastPf, float expected)
    {
        SubjectChoice choice = new([Tried(1, cp: 0.9, pf: 0.95), Tried(0.6f, cp: 0.8, pf: 0.98), Tried(0.3f, cp: 0.7, pf: 0.99)]);

        Assert.Equal(expected, choice.Best(leastPf).Scale);

        static SubjectChoice.Setting Tried(float scale, double cp, double pf) => new(1, 0.1, 0, true, scale, 1, new(cp, cp, cp), new(pf, pf, pf));
    }

    [Fact]
    public void Aims_AreThoseOfTheSystemsThatWereMeasured() => Assert.Empty(StudyAim.Of(new Dictionary<string, (SystemResult, SystemTiming)>()));

    [Fact]
    public void Config_WithAFieldThatNobodyReads_IsRefused()
    {
        string file = _folder.File("config.json");
        File.WriteAllText(file, File.ReadAllText(StudyConfig.QuickFile).Replace("\"grids\"", "\"grits\"", StringComparison.Ordinal));
        Exception e = Assert.ThrowsAny<Exception>(() => StudyConfig.Load(file));
        Assert.Contains("grits", e.Message);
        Assert.Contains(file, e.Message);
    }

    private static IReadOnlyList<StudyAim> Aims(
        double dsd, double tuned, double text, double uncurated, double spread = 0.01, double tuningSeconds = 100, double encodingSeconds = 1)
    {
        Dictionary<string, (SystemResult, SystemTiming)> systems = new()
        {
            ["dsd"] = (Result("dsd", dsd), new SystemTiming(1, encodingSeconds)),
            ["per_subject_lora"] = (Result("per_subject_lora", tuned), new SystemTiming(1, tuningSeconds)),
            ["text"] = (Result("text", text), new SystemTiming(1, encodingSeconds)),
            ["dsd_uncurated"] = (Result("dsd_uncurated", uncurated), new SystemTiming(1, encodingSeconds)),
        };
        return StudyAim.Of(systems);

        // Two kinds of subjects about a mean.
        SystemResult Result(string name, double mean) => new()
        {
            System = name,
            CpBySubject = [.. Enumerable.Range(0, 40).Select(i => mean + (i % 2 == 0 ? spread : -spread))],
            PfBySubject = [1],
            Attributes = [new AttributeShare("shape", 1, 1)],
        };
    }

    private static Picture Plain(int number)
    {
        byte[] pixels = new byte[3 * Side * Side];
        Array.Fill(pixels, (byte)(20 * number));
        return new Picture(Side, Side, pixels);
    }
}
