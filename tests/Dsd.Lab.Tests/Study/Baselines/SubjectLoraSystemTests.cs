using Dsd.Imaging;
using Dsd.Lab.Study;
using Dsd.Lab.Study.Baselines;
using Dsd.Lab.Training;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Study.Baselines;

[Collection("Torch's random numbers")]
public sealed class SubjectLoraSystemTests : IClassFixture<SmallTeacher>
{
    private static readonly SubjectLoraOptions Quick =
        new() { Steps = 6, SamplesPerStep = 2, Rank = 2, Views = 2, Wordings = 2, DrawingSteps = 2, SubjectsAtOnce = 2, Seed = 4 };

    private readonly SmallTeacher _teacher;

    public SubjectLoraSystemTests(SmallTeacher teacher) => _teacher = teacher;

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Subjects_TunedTogetherBecomeWhatEachBecomesAlone(int priorSamples)
    {
        using FluxModel model = (FluxModel)DiffusionModel.Load(_teacher.Folder);
        using SubjectTuning tuning = new(model, Quick with { PriorSamples = priorSamples });
        StudyCase[] cases = SmallTeacher.Cases(subjects: 2, each: 1);
        using SubjectGroup together = tuning.Run(cases, null, default);
        for (int i = 0; i < cases.Length; i++)
        {
            using SubjectGroup alone = tuning.Run([cases[i]], null, default);
            foreach ((string module, (Tensor a, Tensor b)) in alone.Factors)
            {
                using DisposeScope scope = NewDisposeScope();
                Assert.InRange((a[0] - together.Factors[module].A[i]).abs().max().item<float>(), 0, 1e-4f);
                Assert.InRange((b[0] - together.Factors[module].B[i]).abs().max().item<float>(), 0, 1e-4f);
            }
        }
    }

    [Fact]
    public void Subjects_BecomeDifferent()
    {
        using FluxModel model = (FluxModel)DiffusionModel.Load(_teacher.Folder);
        using SubjectTuning tuning = new(model, Quick);
        using SubjectGroup group = tuning.Run(SmallTeacher.Cases(subjects: 2, each: 1), null, default);
        using DisposeScope scope = NewDisposeScope();

        Assert.Contains(group.Factors.Values, f => (f.B[0] - f.B[1]).abs().max().item<float>() > 1e-3f);
    }

    [Fact]
    public void Stack_OfNewAdaptersChangesNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxModel model = (FluxModel)DiffusionModel.Load(_teacher.Folder);
        Tensor plain = Velocity(model);
        using LoraAdapter start = LoraAdapter.Create(model.Transformer, new LoraOptions { Rank = 2 });
        using LoraStack stack = LoraStack.Repeat(start, 2, model.Transformer);

        Assert.InRange((Velocity(model) - plain).abs().max().item<float>(), 0, 1e-5f);
    }

    [Fact]
    public void Stack_GivesEachShareItsOwnAdapter()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxModel model = (FluxModel)DiffusionModel.Load(_teacher.Folder);
        using SubjectTuning tuning = new(model, Quick);
        using SubjectGroup group = tuning.Run(SmallTeacher.Cases(subjects: 2, each: 1), null, default);
        Tensor both;
        using (LoraStack stack = new(model.Transformer, group.Factors, trainable: false))
        {
            both = Velocity(model);
        }
        for (int i = 0; i < 2; i++)
        {
            Dictionary<string, LoraFactors> own = group.Factors.ToDictionary(
                f => f.Key, f => new LoraFactors(f.Value.A[i].clone(), f.Value.B[i].clone(), Quick.Rank));
            using LoraAdapter adapter = new("a test", own, new Dictionary<string, Tensor>());
            using LoraAttachment attached = adapter.Attach(model.Transformer);
            Assert.InRange((Velocity(model) - both).narrow(0, 2 * i, 2).abs().max().item<float>(), 0, 1e-4f);
        }
    }

    [Fact]
    public void Stack_DisposedLeavesTheTransformerAsItWas()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxModel model = (FluxModel)DiffusionModel.Load(_teacher.Folder);
        Tensor plain = Velocity(model);
        using SubjectTuning tuning = new(model, Quick);
        tuning.Run(SmallTeacher.Cases(subjects: 1, each: 1), null, default).Dispose();

        Assert.True(Velocity(model).allclose(plain));
    }

    [Fact]
    public void Stack_RefusesFactorsOfAnotherShape()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxModel model = (FluxModel)DiffusionModel.Load(_teacher.Folder);
        Dictionary<string, (Tensor, Tensor)> factors = new() { ["proj_out"] = (zeros(2, 2, 7), zeros(2, 16, 2)) };

        Assert.Contains("proj_out", Assert.Throws<ArgumentException>(() => new LoraStack(model.Transformer, factors, trainable: false)).Message);
    }

    [Fact]
    public void Train_LowersTheLoss()
    {
        Losses losses = new();

        SubjectLoraSystem.Train(
            _teacher.Folder, CPU, SmallTeacher.Cases(2, 1), Quick with { Steps = 100, LearningRate = 5e-3 }, _teacher.NewFile("losses"), losses);

        Assert.True(losses.Seen[^1] < 0.9f * losses.Seen[0], string.Join(' ', losses.Seen));
    }

    [Fact]
    public void Draw_GivesEachCaseThePictureThatItGetsAlone()
    {
        string folder = Tuned();
        StudyCase[] cases = [.. SmallTeacher.Cases(subjects: 3, each: 2).Reverse().Skip(1)];

        IReadOnlyList<Picture> together = SubjectLoraSystem.Draw(_teacher.Folder, CPU, folder, cases, Quick);

        Assert.Equal(cases.Length, together.Count);
        for (int i = 0; i < cases.Length; i++)
        {
            Picture alone = SubjectLoraSystem.Draw(_teacher.Folder, CPU, folder, [cases[i]], Quick)[0];
            Assert.InRange(alone.Pixels.ToArray().Zip(together[i].Pixels.ToArray(), (a, b) => Math.Abs(a - b)).Max(), 0, 2);
        }
    }

    [Fact]
    public void Draw_DependsOnTheSubjectsFactors()
    {
        string folder = Tuned();
        StudyCase one = SmallTeacher.Cases(subjects: 2, each: 1)[0];

        IReadOnlyList<Picture> pictures = SubjectLoraSystem.Draw(_teacher.Folder, CPU, folder, [one, one with { SubjectIndex = 1 }], Quick);

        Assert.NotEqual(pictures[0].Pixels.ToArray(), pictures[1].Pixels.ToArray());
    }

    [Fact]
    public void Train_LeavesOutGroupsThatAreThere()
    {
        string folder = Tuned();
        Losses losses = new();
        File.Delete(Directory.EnumerateFiles(folder).Order().Last());

        SubjectLoraSystem.Train(_teacher.Folder, CPU, SmallTeacher.Cases(3, 2), Quick, folder, losses);

        Assert.Single(losses.Seen);
    }

    [Fact]
    public void Draw_RefusesSubjectsThatNobodyTuned()
    {
        WeightsException e = Assert.Throws<WeightsException>(() => SubjectLoraSystem.Draw(_teacher.Folder, CPU, Tuned(), SmallTeacher.Cases(4, 1), Quick));
        Assert.Contains("such as 3", e.Message);
    }

    [Fact]
    public void Draw_RefusesFactorsThatWereTunedInAnotherWay()
    {
        string folder = Tuned();
        Assert.Contains("steps 6",
            Assert.Throws<WeightsException>(
                () => SubjectLoraSystem.Draw(_teacher.Folder, CPU, folder, SmallTeacher.Cases(1, 1), Quick with { Steps = 7 })).Message);
    }

    [Fact]
    public void SecondsPerSubject_IsTheTimeOfRealSteps() =>
        Assert.InRange(SubjectLoraSystem.SecondsPerSubject(_teacher.Folder, CPU, SmallTeacher.Cases(2, 1), Quick), 0.001, 60);

    [Fact]
    public void TrainAndDraw_LeaveNoTensorBehind()
    {
        int run = 0;
        LiveTensors.AssertUnchanged(() =>
        {
            string folder = _teacher.NewFile($"live-{run++}");
            SubjectLoraOptions options = Quick with { PriorSamples = 1 };
            SubjectLoraSystem.Train(_teacher.Folder, CPU, SmallTeacher.Cases(2, 1), options, folder);
            SubjectLoraSystem.Draw(_teacher.Folder, CPU, folder, SmallTeacher.Cases(2, 1), options);
        });
    }

    [Fact]
    public void Identifier_IsSpelledByBothTokenizers()
    {
        T5Tokenizer t5 = T5Tokenizer.Load(Path.Combine(TinyModel.Folder, "tokenizer_2"));
        ClipTokenizer clip = ClipTokenizer.Load(Path.Combine(TinyModel.Folder, "tokenizer"));
        long unknown = t5.Encode("\u00e9", 8)[1];

        long[] spelled = t5.Encode(IdentifierCaptions.Identifier, 8);

        Assert.DoesNotContain(unknown, spelled);
        Assert.NotEqual(clip.Encode(IdentifierCaptions.Identifier, 8), clip.Encode("zwy", 8));
        Assert.NotEqual(spelled, t5.Encode("zwy", 8));
    }

    [Fact]
    public void Draw_AtAScaleOfNothing_IsTheTeacher()
    {
        string folder = Tuned();
        StudyCase[] cases = SmallTeacher.Cases(subjects: 2, each: 1);
        SubjectLoraOptions off = Quick with { Scale = 0 };
        // Both subjects' factors, on the first one's case: without strength they do not differ.
        StudyCase[] same = [cases[0], cases[0] with { SubjectIndex = 1 }];

        Assert.Equal(Pixels(off)[0], Pixels(off)[1]);
        Assert.NotEqual(Pixels(Quick)[0], Pixels(Quick)[1]);

        byte[][] Pixels(SubjectLoraOptions options) =>
            [.. SubjectLoraSystem.Draw(_teacher.Folder, CPU, folder, same, options).Select(p => p.Pixels.ToArray())];
    }

    [Fact]
    public void Captions_SayOfASubjectWhatItsReferencesCaptionSays()
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            StudyCase one = StudyCases.Draw((long)seed, 1, 1)[0];
            Caption said = IdentifierCaptions.Of(one, one.Context, 0b11111, seed, described: true);
            Caption word = IdentifierCaptions.Of(one, one.Context, 0b11111, seed, described: false);

            Assert.Contains($"a {IdentifierCaptions.Identifier} ", said.Text);
            Assert.Equal((one.ReferenceCaption.SubjectMask, 0), (said.SubjectMask, word.SubjectMask));
            Assert.Contains($"a {IdentifierCaptions.Identifier} creature", word.Text);
            // The tokenizer spells the word in three tokens more than it is counted for.
            Assert.InRange(Captions.CountTokens(said.Text) + 3, 1, Captions.MaxTokens);
        }
    }

    [Fact]
    public void Captions_StateWhatTheMaskSays()
    {
        Context context = new() { Scene = Scene.Snow, Light = Light.Night };

        Caption caption = IdentifierCaptions.Write(context, 0b00001, 3, PromptStyle.OneTemplate);

        Assert.Equal("a zwx creature in the snow", caption.Text);
        Assert.Equal([1], caption.ContextMasks);
    }

    private string Tuned()
    {
        string folder = _teacher.NewFile("tuned");
        SubjectLoraSystem.Train(_teacher.Folder, CPU, SmallTeacher.Cases(3, 1), Quick, folder);
        return folder;
    }

    /// <summary>Four items, of which two belong to each of two subjects, alike but for the adapters.</summary>
    private static Tensor Velocity(FluxModel model)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        TextEmbedding text = model.Text.Encode(["a blue creature", "in the snow", "a blue creature", "in the snow"]);
        Tensor noise = SmallTeacher.Noise(model, 4, 5, 4, 5);
        return model.Transformer.forward(
            noise, null, text.Text, text.Pooled, full(4, 0.7), full(4, 3.5), SmallTeacher.ImageIds(), LatentPacking.TextIds(text.Text.shape[1]))
                .MoveToOuterDisposeScope();
    }

    private sealed class Losses : IProgress<TrainingProgress>
    {
        public List<float> Seen { get; } = [];

        public void Report(TrainingProgress value) => Seen.Add(value.Loss);
    }
}
