using Dsd.Models.Training;
using Dsd.Models.Training.Timesteps;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Training.Timesteps;

public class TimestepSamplingTests
{
    private const int Count = 20_000;

    // Of 20,000 even numbers a quantile lies within 0.012 of its share, 3.4 standard deviations.
    private const double Tolerance = 0.012;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.5, 0.7)]
    [InlineData(-1, 2)]
    public void LogitNormal_HasTheClosedFormsQuantiles(double mean, double deviation)
    {
        float[] drawn = Draw(new LogitNormalTimesteps { Mean = mean, Deviation = deviation, ResolutionShift = false });
        foreach ((double share, double normal) in new[] { (0.1, -1.2815515655), (0.25, -0.6744897502), (0.5, 0), (0.75, 0.6744897502), (0.9, 1.2815515655) })
        {
            AssertShareBelow(drawn, share, 1 / (1 + Math.Exp(-(mean + deviation * normal))));
        }
    }

    [Fact]
    public void Uniform_IsEven()
    {
        float[] drawn = Draw(new UniformTimesteps { ResolutionShift = false });
        Assert.All(new[] { 0.1, 0.25, 0.5, 0.75, 0.9 }, share => AssertShareBelow(drawn, share, share));
        Assert.Equal(0.5, drawn.Average(), Tolerance);
    }

    [Theory]
    [InlineData(1.29)]
    [InlineData(-0.8)]
    [InlineData(0)]
    public void Mode_HasTheClosedFormsQuantiles(double scale)
    {
        float[] drawn = Draw(new ModeTimesteps { Scale = scale, ResolutionShift = false });
        foreach (double share in new[] { 0.1, 0.25, 0.5, 0.75, 0.9 })
        {
            double u = 1 - share; // levels fall as u rises
            AssertShareBelow(drawn, share, 1 - u - scale * (Math.Pow(Math.Cos(Math.PI * u / 2), 2) - 1 + u));
        }
        Assert.Equal(0.5, drawn.Average(), Tolerance);
    }

    [Fact]
    public void ResolutionShift_MovesEachLevel()
    {
        const double Mu = 0.8;
        float[] still = Draw(new UniformTimesteps { ResolutionShift = false }, Mu);
        float[] moved = Draw(new UniformTimesteps(), Mu);
        Assert.All(still.Zip(moved).Take(100), p => Assert.Equal(Math.Exp(Mu) / (Math.Exp(Mu) + 1 / p.First - 1), p.Second, 1e-5));
    }

    [Fact]
    public void Default_IsTheLogitNormalOfFlowMatching()
    {
        using Generator random = new(5);
        float drawn = new LogitNormalTimesteps().Draw(random, 0.7);
        using Generator again = new(5);
        Assert.Equal(FlowMatching.Sigmas(randn(1, generator: again).data<float>().ToArray(), 0.7)[0], drawn);
    }

    private static void AssertShareBelow(float[] drawn, double share, double quantile) =>
        Assert.Equal(share, drawn.Count(s => s < quantile) / (double)drawn.Length, Tolerance);

    private static float[] Draw(TimestepSampling sampling, double mu = 0)
    {
        using Generator random = new(3);
        return [.. Enumerable.Range(0, Count).Select(_ => sampling.Draw(random, mu))];
    }
}
