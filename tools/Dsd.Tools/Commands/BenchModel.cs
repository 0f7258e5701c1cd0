using System.CommandLine;
using Dsd.Models.Benchmark;
using Dsd.Models.Flux;
using Dsd.Models.Weights;
using Dsd.Tiny;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tools.Commands;

/// <summary>The transformers that benchmarks run on: the embedded one and one of FLUX.1-dev's size.</summary>
internal static class BenchModel
{
    public const string Tiny = "tiny";
    public const string Dev = "dev";

    public static Option<string> CreateSize()
    {
        Option<string> size = new("--size")
        {
            Description = "tiny: the embedded teacher, a grid of two panels; dev: FLUX.1-dev with a condition, random weights, DSD's canvas of 512 × "
                + "1024 pixels.",
            HelpName = "SIZE",
            DefaultValueFactory = _ => Tiny,
        };
        size.AcceptOnlyFromAmong(Tiny, Dev);
        return size;
    }

    /// <summary>What <c>dsd bench flux</c> measures.</summary>
    public static FluxBenchmarkOptions Flux(string size, Device device) => size == Dev
        ? new FluxBenchmarkOptions
        {
            Config = FluxConfig.Dev with { Conditional = true },
            Device = device,
            DType = ScalarType.BFloat16,
            Rows = 32,
            Columns = 64,
            TextTokens = 512,
        }
        : new FluxBenchmarkOptions
        {
            Config = ModelFolder.Open(TinyModel.Folder).ReadConfig<FluxConfig>("transformer"),
            ModelFolder = TinyModel.Folder,
            Device = device,
            DType = device.type == DeviceType.CUDA ? ScalarType.BFloat16 : ScalarType.Float32,
            Rows = TinyModel.PanelSize / 16,
            Columns = 2 * TinyModel.PanelSize / 16,
            TextTokens = 64,
        };

    /// <summary>What <c>dsd bench train</c> measures: the same shape and sizes.</summary>
    public static TrainingBenchmarkOptions Training(string size, Device device)
    {
        FluxBenchmarkOptions same = Flux(size, device);
        return new TrainingBenchmarkOptions
        {
            Config = same.Config with { Conditional = true },
            Device = device,
            DType = same.DType,
            Rows = same.Rows,
            Columns = same.Columns,
            TextTokens = same.TextTokens,
        };
    }
}
