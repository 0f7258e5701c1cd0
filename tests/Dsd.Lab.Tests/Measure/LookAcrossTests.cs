using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Lab.Tests.Study.Baselines;
using Dsd.Models.Sampling;
using Dsd.Tiny;
using Dsd.Tiny.Classifier;

namespace Dsd.Lab.Tests.Measure;

[Collection("Torch's random numbers")]
public sealed class LookAcrossTests
{
    [Fact]
    public void Measure_HoldsTheLeftPanelSoThatTheRightOneMayDependOnIt()
    {
        using SmallTeacher small = new();
        small.AddMeasures();
        using TextToImagePipeline teacher = TextToImagePipeline.Load(small.Folder);
        LookOptions options = new() { Subjects = 3, Steps = 2, Guidance = 1, Batch = 2, Shown = 1 };
        LookCase[] own = LookCase.Draw(3, options.Seed);
        LookCase[] others = LookCase.WithOthers(own);
        IReadOnlyList<Picture> first = LookAcross.Draw(teacher, own, HeldNoise.Clean, options);

        Assert.All(first, picture => Assert.Equal((TinyModel.PanelSize, TinyModel.PanelSize), (picture.Width, picture.Height)));
        Assert.Equal(first.Select(Hash), LookAcross.Draw(teacher, own, HeldNoise.Clean, options).Select(Hash));
        // The same caption and noise beside another picture: random weights look at everything.
        Assert.NotEqual(first.Select(Hash), LookAcross.Draw(teacher, others, HeldNoise.Clean, options).Select(Hash));
        Assert.NotEqual(first.Select(Hash), LookAcross.Draw(teacher, own, HeldNoise.Step, options).Select(Hash));

        List<string> said = [];
        using AttributeClassifier classifier = AttributeClassifier.Load(Path.Combine(small.Folder, "classifier"));
        (IReadOnlyList<LookFigures> figures, IReadOnlyList<Picture> sheet) = LookAcross.Measure(teacher, classifier, options, said.Add);
        Assert.Equal((6, 6, 12), (figures.Count, said.Count, sheet.Count));
        Assert.All(figures, f => Assert.Equal(3, f.Grids));

        static int Hash(Picture picture) => picture.Pixels.ToArray().Aggregate(17, (hash, value) => unchecked(31 * hash + value));
    }
}
