using Dsd.Lab.Training;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Judge;

/// <summary>Fits temperature and threshold to pairs of held-out subjects, and measures with them.</summary>
internal static class JudgeCalibration
{
    // The aim is 0.95 on other pairs than those that the threshold is fitted to, so there is a margin.
    private const double WantedPrecision = 0.97;

    // A teacher draws grids by the thousand, less cleanly than these drawings: a true pair in ten may be lost for surer ones.
    private const double WantedRecall = 0.9;
    private const int Batch = 64;

    public static JudgeTrainingReport Fit(JudgeNetwork network, JudgeTrainingOptions options, bool complete)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        int pairs = options.HeldOutPairs / Batch * Batch is var whole && whole > 0 ? whole : options.HeldOutPairs;
        List<Tensor> logits = [];
        List<int[]> truth = [];
        random.manual_seed((long)WorldRandom.Mix(~options.Seed));
        for (int first = 0; first < pairs; first += Batch)
        {
            int count = Math.Min(Batch, pairs - first);
            Tensor images = Draw(first, count, network.Config.ImageSize, options, truth);
            logits.Add(network.forward(JudgeAugmentation.Apply(images, null, options.RoundTrip)).cpu());
        }
        float[] all = cat(logits, 0).data<float>().ToArray();
        JudgeConfig config = network.Config with { Temperature = BestTemperature(all, truth, network.Config) };

        bool[] same = [.. truth.Chunk(2).Select(pair => pair[0].AsSpan().SequenceEqual(pair[1]))];
        int width = config.Attributes.Sum(kind => kind.Count);
        SubjectReading[] readings = [.. Enumerable.Range(0, truth.Count).Select(i => SubjectReading.FromLogits(all.AsSpan(i * width, width), config))];
        double[] agreement = [.. Enumerable.Range(0, same.Length).Select(i => readings[2 * i].Agreement(readings[2 * i + 1]))];
        config = config with { SameThreshold = BestThreshold(agreement, same) };

        Dictionary<string, double> accuracy = config.Attributes
            .Select((kind, i) => (kind.Name, Share: readings.Zip(truth).Average(pair => pair.First.Best(i) == pair.Second[i] ? 1.0 : 0.0)))
            .ToDictionary(pair => pair.Name, pair => pair.Share);
        int called = agreement.Count(p => p >= config.SameThreshold);
        int right = agreement.Zip(same).Count(pair => pair.First >= config.SameThreshold && pair.Second);
        int are = same.Count(s => s);
        int wrong = called - right + (are - right);
        return new JudgeTrainingReport(
            accuracy, 1 - (double)wrong / same.Length, called == 0 ? 0 : (double)right / called, are == 0 ? 0 : (double)right / are, config, complete);
    }

    private static Tensor Draw(int first, int count, int size, JudgeTrainingOptions options, List<int[]> truth)
    {
        int bytes = 3 * size * size;
        byte[] pixels = new byte[2 * count * bytes];
        int[][][] values = ProcessorThreads.Make(count, i =>
        {
            WorldRandom random = new(WorldRandom.Mix(~options.Seed) ^ (ulong)(first + i));
            Subject a = WorldSampler.SampleSubject(random, heldOut: true);
            Subject b = (first + i) % 2 == 0 ? a : WorldSampler.Change(a, random, heldOut: true);
            (PanelBatches.Panel left, PanelBatches.Panel right) = PanelBatches.Pair(a, b, random, size);
            left.Picture.Pixels.CopyTo(pixels.AsSpan(2 * i * bytes));
            right.Picture.Pixels.CopyTo(pixels.AsSpan((2 * i + 1) * bytes));
            return new[] { a.Values, b.Values };
        });
        truth.AddRange(values.SelectMany(pair => pair));
        return new PictureBatch(size, size, pixels).ToTensor(options.Device);
    }

    // The temperature under which the truth is most likely (Guo et al. 2017), from a fixed geometric row of candidates.
    private static double BestTemperature(float[] logits, List<int[]> truth, JudgeConfig config)
    {
        int width = config.Attributes.Sum(kind => kind.Count);
        return Enumerable.Range(-10, 21).Select(i => Math.Round(Math.Pow(1.15, i), 4)).MinBy(temperature =>
        {
            JudgeConfig tried = config with { Temperature = temperature };
            double loss = 0;
            for (int i = 0; i < truth.Count; i++)
            {
                SubjectReading reading = SubjectReading.FromLogits(logits.AsSpan(i * width, width), tried);
                for (int attribute = 0; attribute < truth[i].Length; attribute++)
                {
                    loss -= Math.Log(Math.Max(1e-12, reading.Probability(attribute, truth[i][attribute])));
                }
            }
            return loss;
        });
    }

    /// <summary>
    /// The threshold at which a kept pair can be relied upon: the strictest that keeps <see cref="WantedRecall"/> of the true pairs at a precision of at least
    /// <see cref="WantedPrecision"/>. Where there is none, the one of highest recall at that precision, and where none is so precise, the one under which most
    /// pairs are judged right, in the middle where several are alike. Between 0.01 and 0.99 in any case, so that it stays a statement about probabilities.
    /// </summary>
    /// <param name="agreement">For each pair the probability that both pictures show one subject.</param>
    /// <param name="same">For each pair whether they do.</param>
    internal static double BestThreshold(double[] agreement, bool[] same)
    {
        (double Threshold, int Kept, int Wrong)[] tried =
        [
            .. Enumerable.Range(1, 99).Select(i => i / 100.0).Select(t => (
                t,
                agreement.Zip(same).Count(pair => pair.First >= t && pair.Second),
                agreement.Zip(same).Count(pair => pair.First >= t && !pair.Second))),
        ];
        (double Threshold, int Kept, int Wrong)[] precise = [.. tried.Where(t => t.Kept > 0 && t.Kept >= WantedPrecision * (t.Kept + t.Wrong))];
        (double Threshold, int Kept, int Wrong)[] enough = [.. precise.Where(t => t.Kept >= WantedRecall * same.Count(pair => pair))];
        if (enough.Length > 0)
        {
            return enough.Max(t => t.Threshold);
        }
        double[] best = precise.Length > 0 ? Most(precise, t => t.Kept) : Most(tried, t => t.Kept - t.Wrong);
        return best[best.Length / 2];
    }

    private static double[] Most((double Threshold, int Kept, int Wrong)[] tried, Func<(double Threshold, int Kept, int Wrong), int> good) =>
        [.. tried.Where(t => good(t) == tried.Max(good)).Select(t => t.Threshold)];
}
