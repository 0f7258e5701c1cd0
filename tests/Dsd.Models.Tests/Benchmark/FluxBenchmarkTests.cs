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
            Config = FluxConfig.Dev with { Conditional = true },
            Rows = 32,
            Columns = 64,
            TextTokens = 512,
        };

        Assert.Equal(37.6e12, FluxBenchmark.Arithmetic(options), 0.1e12);
    }
}
