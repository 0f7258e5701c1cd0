using Dsd.Models.Training.Optimizers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Training.Optimizers;

public class ProdigyTests
{
    /// <summary>Algorithm 4 of the paper, line by line, on a quadratic of three numbers.</summary>
    [Theory]
    [InlineData(16 << 20)]
    [InlineData(2)]
    public void Step_FollowsThePublishedAlgorithm(long pieceLength)
    {
        using DisposeScope scope = NewDisposeScope();
        double[] curve = [1, 3, 0.2];
        double[] x = [1, -2, 0.5], x0 = [1, -2, 0.5];
        double[] m = new double[3], v = new double[3], s = new double[3];
        (double d, double r) = (1e-3, 0);
        const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8, Rate = 1;
        double beta3 = Math.Sqrt(Beta2);

        Parameter parameter = new(tensor(new[] { 1f, -2f, 0.5f }));
        using Prodigy optimizer = new(
            [parameter], new ProdigyOptions { InitialDistance = 1e-3, WeightDecay = 0, MaxGradientNorm = 1e9, PieceLength = pieceLength });
        for (int step = 0; step < 40; step++)
        {
            double[] g = [.. x.Select((value, i) => curve[i] * value)];
            double product = g.Select((value, i) => value * (x0[i] - x[i])).Sum();
            r = beta3 * r + (1 - beta3) * Rate * d * d * product;
            double norm = 0;
            for (int i = 0; i < 3; i++)
            {
                m[i] = Beta1 * m[i] + (1 - Beta1) * d * g[i];
                v[i] = Beta2 * v[i] + (1 - Beta2) * d * d * g[i] * g[i];
                s[i] = beta3 * s[i] + (1 - beta3) * Rate * d * d * g[i];
                norm += Math.Abs(s[i]);
                x[i] -= Rate * d * m[i] / (Math.Sqrt(v[i]) + d * Epsilon);
            }
            d = Math.Max(d, r / norm);

            parameter.grad = parameter.detach() * tensor(curve.Select(c => (float)c).ToArray());
            optimizer.Step(Rate);
            Assert.Equal(d, optimizer.Distance, 1e-4 * d);
        }
        float[] found = parameter.detach().data<float>().ToArray();
        Assert.All(x.Zip(found), p => Assert.Equal(p.First, p.Second, 2e-4));
        Assert.True(optimizer.Distance > 0.1); // it has grown a hundredfold
    }

    [Fact]
    public void Step_WithoutGradients_KeepsTheEstimate()
    {
        using Parameter parameter = new(ones(3));
        using Prodigy optimizer = new([parameter], new ProdigyOptions { WeightDecay = 0 });
        optimizer.Step(1);
        Assert.Equal(1e-6, optimizer.Distance);
        Assert.Equal(3, parameter.detach().sum().item<float>());
    }
}
