using Dsd.Imaging;
using Dsd.MLNet.FineTuning;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Training;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.FineTuning;

/// <summary>Rows on their way into training. Memory and the folder for temporary files are the whole process's, so nothing runs beside these tests.</summary>
[Collection(nameof(TrainingRowsTests))]
[CollectionDefinition(nameof(TrainingRowsTests), DisableParallelization = true)]
public sealed class TrainingRowsTests : IDisposable
{
    private const int Side = 160;
    private static readonly string Variable = OperatingSystem.IsWindows() ? "TMP" : "TMPDIR";
    private readonly string? _before = Environment.GetEnvironmentVariable(Variable);
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _ml;

    public TrainingRowsTests()
    {
        Environment.SetEnvironmentVariable(Variable, _folder.Path);
        // A context takes the system's folder when it is made.
        _ml = new MLContext(1);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, _before);
        _folder.Dispose();
    }

    [Fact]
    public void Pairs_ComeBackAsTheyWere_AsOftenAsTheyAreAskedFor()
    {
        (TrainingPair Pair, bool HeldOut)[] added =
        [
            (new TrainingPair(Noise(1, 16, 61), Noise(2, 33, 17), "a fox"), false),
            (new TrainingPair(Noise(3, 20, 20), Noise(4, 20, 20), "held"), true),
            (new TrainingPair(Noise(1, 16, 61), Noise(5, 47, 16), "ein Füchslein 🦊 \ud83e"), false),
        ];
        using TrainingRows rows = new();
        foreach ((TrainingPair pair, bool heldOut) in added)
        {
            rows.Add(pair, heldOut);
        }
        Assert.Equal((2, 1), (rows.Count, rows.HeldOutCount));
        for (int time = 0; time < 2; time++)
        {
            AssertSame([added[0].Pair, added[2].Pair with { Prompt = "ein Füchslein 🦊 \ufffd" }], rows.Pairs);
            AssertSame([added[1].Pair], rows.HeldOut);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a row without a picture")]
    [InlineData("a row without a prompt")]
    [InlineData("no row that is kept")]
    [InlineData("training")]
    [InlineData("cancelled")]
    public void Fit_LeavesNoFileBehind(string fault)
    {
        using CancellationTokenSource stop = new();
        int trained = 0;
        PaintedModels models = new()
        {
            Training = rows =>
            {
                trained++;
                Assert.Single(Directory.GetDirectories(_folder.Path));
                Assert.Equal(2, rows.Pairs.Count());
                return fault == "training" ? throw new InvalidOperationException("The loss is not finite.") : new LoraWeights([1]);
            },
        };
        IEnumerable<PairRow> Rows()
        {
            yield return new PairRow { Reference = Views.Image(1), Target = Views.Image(2), Prompt = "x", Kept = fault != "no row that is kept" };
            if (fault == "cancelled")
            {
                stop.Cancel();
            }
            yield return new PairRow
            {
                Reference = Views.Image(1),
                Target = fault == "a row without a picture" ? null : Views.Image(2),
                Prompt = fault == "a row without a prompt" ? " " : "y",
                Kept = fault != "no row that is kept",
            };
        }
        LoraFineTuner tuner = new(_ml, new LoraFineTunerOptions { CancellationToken = stop.Token }, models);

        Exception? e = Record.Exception(() => tuner.Fit(_ml.Data.LoadFromEnumerable(Rows())));

        Assert.Equal(fault.Length == 0, e is null);
        Assert.Equal(fault is "" or "training" ? 1 : 0, trained);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Fit_HoldsNoMoreThanAFewRows()
    {
        const int Count = 240;
        const long AllPictures = Count * 2L * 3 * Side * Side;
        List<WeakReference> images = [];
        List<WeakReference> pictures = [];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long most = 0;
        int mostLive = 0;
        int trained = 0;
        PaintedModels models = new()
        {
            Training = rows =>
            {
                foreach (TrainingPair pair in rows.Pairs)
                {
                    pictures.Add(new WeakReference(pair.Reference));
                    pictures.Add(new WeakReference(pair.Target));
                    Measure(++trained);
                }
                return new LoraWeights([1]);
            },
        };

        new LoraFineTuner(_ml, new LoraFineTunerOptions(), models).Fit(_ml.Data.LoadFromEnumerable(Rows()));

        Assert.Equal(Count, trained);
        // A row that is held whole takes 150 kB; what is kept of it here are the test's own references.
        Assert.InRange(most - before, 0, AllPictures / 16);
        Assert.InRange(mostLive, 0, 12);

        IEnumerable<PairRow> Rows()
        {
            for (int i = 0; i < Count; i++)
            {
                MLImage[] both = [MLImages.FromPicture(Noise(i, Side, Side)), MLImages.FromPicture(Noise(-i, Side, Side))];
                images.AddRange(both.Select(image => new WeakReference(image)));
                yield return new PairRow { Reference = both[0], Target = both[1], Prompt = "x", Kept = true };
                Measure(i + 1);
            }
        }

        void Measure(int row)
        {
            if (row % 60 == 0)
            {
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
                mostLive = Math.Max(mostLive, images.Concat(pictures).Count(r => r.IsAlive));
            }
        }
    }

    private static Picture Noise(int seed, int width, int height)
    {
        byte[] pixels = new byte[3 * width * height];
        new Random(seed).NextBytes(pixels);
        return new Picture(width, height, pixels);
    }

    private static void AssertSame(TrainingPair[] expected, IEnumerable<TrainingPair> pairs)
    {
        TrainingPair[] found = [.. pairs];
        Assert.Equal(expected.Select(p => p.Prompt), found.Select(p => p.Prompt));
        Assert.Equal(expected.SelectMany(Pictures), found.SelectMany(Pictures));

        static IEnumerable<string> Pictures(TrainingPair pair) => [Text(pair.Reference), Text(pair.Target)];

        static string Text(Picture picture) => $"{picture.Width} {picture.Height} {Convert.ToHexString(picture.Pixels)}";
    }
}
