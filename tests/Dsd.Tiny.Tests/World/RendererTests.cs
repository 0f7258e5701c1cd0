using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.World;

public class RendererTests
{
    private const int Side = TinyModel.PanelSize;

    // At the smallest scale a feature still has to change this many pixels by a step that nobody overlooks.
    private const int LeastPixels = 24;
    private const int ClearStep = 40;

    public static TheoryData<int> SubjectAttributes => [.. Enumerable.Range(0, Subject.Kinds.Count)];

    public static TheoryData<int> ContextAttributes => [.. Enumerable.Range(0, Context.Kinds.Count)];

    [Theory]
    [MemberData(nameof(SubjectAttributes))]
    public void Draw_ShowsEveryValueOfASubjectsAttribute(int attribute)
    {
        Context context = new() { Scene = Scene.Room, Scale = SubjectScale.Small };
        foreach (BodyShape shape in Enum.GetValues<BodyShape>())
        {
            List<Subject> subjects = [];
            for (int value = 0; value < Subject.Kinds[attribute].Count; value++)
            {
                int[] values = new Subject { Shape = shape, Color = BodyColor.Orange }.Values;
                values[attribute] = value;
                subjects.Add(WithColors(Subject.FromValues(values)));
            }
            AssertAllDiffer([.. subjects.Distinct()], subject => Renderer.Draw(subject, context));
        }
    }

    [Theory]
    [MemberData(nameof(ContextAttributes))]
    public void Draw_ShowsEveryValueOfAContextsAttribute(int attribute)
    {
        List<Context> contexts = [];
        for (int value = 0; value < Context.Kinds[attribute].Count; value++)
        {
            int[] values = new Context { Scene = Scene.Meadow, Scale = SubjectScale.Small }.Values;
            values[attribute] = value;
            contexts.Add(Context.FromValues(values));
        }
        AssertAllDiffer(contexts, context => Renderer.Draw(new Subject { Color = BodyColor.Purple }, context));
    }

    [Fact]
    public void Draw_GivesTheSamePixelsInEveryThread()
    {
        WorldRandom random = new(5);
        (Subject, Context)[] scenes = [.. Enumerable.Range(0, 64).Select(_ => (WorldSampler.SampleSubject(random), WorldSampler.SampleContext(random)))];
        byte[][] expected = [.. scenes.Select(scene => Renderer.Draw(scene.Item1, scene.Item2).Pixels.ToArray())];

        Parallel.For(0, 256, i =>
        {
            (Subject subject, Context context) = scenes[i % 64];
            Assert.True(Renderer.Draw(subject, context).Pixels.SequenceEqual(expected[i % 64]));
        });
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    public void Draw_GivesTheRecordedPicture(ulong seed)
    {
        // Mean red, green and blue; processors may round single pixels differently.
        double[] expected = seed switch { 1 => [110.26, 95.03, 87.91], 2 => [148.44, 82.00, 90.75], _ => [86.68, 114.27, 112.08] };
        WorldRandom random = new(seed);
        Picture picture = Renderer.Draw(WorldSampler.SampleSubject(random), WorldSampler.SampleContext(random), 96);

        double[] mean = new double[3];
        for (int i = 0; i < picture.Pixels.Length; i++)
        {
            mean[i % 3] += picture.Pixels[i] / (96.0 * 96.0);
        }

        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(expected[i], mean[i], 0.5));
    }

    [Fact]
    public void Draw_ScalesWithTheSize()
    {
        Subject subject = new() { Color = BodyColor.Blue };
        Picture small = Renderer.Draw(subject, new Context(), 96);
        Picture large = Renderer.Draw(subject, new Context(), 192).Resize(96, 96);

        Assert.True(Different(small, large, 60) < 96 * 96 / 50);
    }

    [Fact]
    public void Draw_PutsThePanelsOfAGridInTheirPlaces()
    {
        WorldGrid grid = WorldSampler.SampleGrid(new WorldRandom(3), GridLayout.TwoByTwo);
        grid = new WorldGrid(GridLayout.TwoByTwo, grid.Panels, bordered: false);
        Picture picture = Renderer.Draw(grid);

        Assert.Equal((2 * Side, 2 * Side), (picture.Width, picture.Height));
        for (int i = 0; i < 4; i++)
        {
            Picture panel = Renderer.Draw(grid.Panels[i].Subject, grid.Panels[i].Context);
            Assert.True(picture.Crop(i % 2 * Side, i / 2 * Side, Side, Side).Pixels.SequenceEqual(panel.Pixels));
        }
    }

    [Fact]
    public void Draw_PutsAWhiteBorderAroundEveryPanelOfABorderedGrid()
    {
        WorldGrid grid = WorldSampler.SampleGrid(new WorldRandom(3), GridLayout.OneByTwo);
        Picture picture = Renderer.Draw(new WorldGrid(GridLayout.OneByTwo, grid.Panels, bordered: true), 96);

        foreach (Picture edge in (Picture[])[picture.Crop(0, 0, 192, 2), picture.Crop(0, 0, 2, 96), picture.Crop(94, 0, 4, 96), picture.Crop(0, 94, 192, 2)])
        {
            Assert.All(edge.Pixels.ToArray(), value => Assert.True(value >= 254));
        }
    }

    [Fact]
    public void Draw_RefusesASubjectThatIsNotValid()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Renderer.Draw(new Subject { Pattern = Pattern.Spotted }, new Context()));

        Assert.Contains("pattern=Spotted", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Draw_RefusesAContextThatDoesNotExist() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Renderer.Draw(new Subject(), new Context { Light = (Light)9 }));

    [Theory]
    [InlineData(8)]
    [InlineData(4096)]
    public void Draw_RefusesSizesOutOfRange(int size) => Assert.Throws<ArgumentOutOfRangeException>(() => Renderer.Draw(new Subject(), new Context(), size));

    // Gives pattern and accessory a colour exactly where they exist; the colours are those that are seen least well.
    private static Subject WithColors(Subject subject) => subject with
    {
        Pattern = subject.PatternColor != PatternColor.None && subject.Pattern == Pattern.Plain ? Pattern.Striped : subject.Pattern,
        PatternColor = subject.Pattern != Pattern.Plain && subject.PatternColor == PatternColor.None ? PatternColor.Black : subject.PatternColor,
        Accessory = subject.AccessoryColor != AccessoryColor.None && subject.Accessory == Accessory.None ? Accessory.Bow : subject.Accessory,
        AccessoryColor = subject.Accessory != Accessory.None && subject.AccessoryColor == AccessoryColor.None ? AccessoryColor.Black : subject.AccessoryColor,
    };

    private static void AssertAllDiffer<T>(IReadOnlyList<T> items, Func<T, Picture> draw)
    {
        Picture[] pictures = [.. items.Select(draw)];
        for (int i = 0; i < pictures.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                int different = Different(pictures[i], pictures[j], ClearStep);
                Assert.True(different >= LeastPixels, $"{items[i]} and {items[j]} differ in {different} pixels only.");
            }
        }
    }

    private static int Different(Picture a, Picture b, int step)
    {
        int count = 0;
        for (int i = 0; i < a.Pixels.Length; i += 3)
        {
            int most = 0;
            for (int channel = 0; channel < 3; channel++)
            {
                most = Math.Max(most, Math.Abs(a.Pixels[i + channel] - b.Pixels[i + channel]));
            }
            count += most > step ? 1 : 0;
        }
        return count;
    }
}
