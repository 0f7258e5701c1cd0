using Dsd.Models.Benchmark;
using Dsd.Models.Flux;

namespace Dsd.Models.Tests.Benchmark;

public sealed class FluxBenchmarkTests
{
    [Fact]
    public void Arithmetic_OfFluxDevOnDsdsCanvas_IsTheKnownFigure()
    {
        FluxBenchmarkOptions options = new()
        {
            Config = new FluxConfig
            {
                Conditional = true,
                InChannels = 64,
                NumLayers = 19,
                NumSingleLayers = 38,
                AttentionHeadDim = 128,
                NumAttentionHeads = 24,
                JointAttentionDim = 4096,
                PooledProjectionDim = 768,
                GuidanceEmbeds = true,
                AxesDimsRope = [16, 56, 56],
            },
            Rows = 32,
            Columns = 64,
            TextTokens = 512,
        };

        Assert.Equal(37.6e12, FluxBenchmark.Arithmetic(options), 0.1e12);
    }
}
