using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Models.Autoencoder;
using Dsd.Models.Benchmark;
using Dsd.Models.Flux;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Tiny;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd bench model</c>: a model folder with random weights, for rehearsals of what reads such a folder.</summary>
internal static class BenchModelCommand
{
    // The transformer, the autoencoder and two text encoders.
    private const int Parts = 4;

    public static Command Create(Terminal terminal)
    {
        Option<string> size = new("--size")
        {
            Description = "tiny: the embedded model's shape; dev: FLUX.1-dev's, 33 GB.",
            HelpName = $"{BenchModel.Tiny}|{BenchModel.Dev}",
            DefaultValueFactory = _ => BenchModel.Tiny,
        };
        size.AcceptOnlyFromAmong(BenchModel.Tiny, BenchModel.Dev);
        Option<string> folder = new("--out") { Description = "The folder to write: absent or empty.", HelpName = "FOLDER", Required = true };
        Command command = new("model", "Write a model folder with random weights, for rehearsals at full size without published weights.") { size, folder };
        command.SetAction(async (parsed, cancel) =>
        {
            string target = parsed.GetRequiredValue(folder);
            WritablePlace.RequireMovedFolder(target);
            RandomModelShape shape = parsed.GetValue(size) == BenchModel.Dev ? RandomModelShape.Dev with { Transformer = FluxConfig.Dev } : Tiny();
            await Task.Run(
                () => terminal.Track(
                    "writing random weights", stages => RandomModel.Write(target, shape, TinyModel.Folder, cancel, new PartNames(stages, Parts))),
                cancel);
            terminal.Output.WriteLine(target);
            return ExitCode.Done;
        });
        return command;
    }

    private static RandomModelShape Tiny()
    {
        ModelFolder folder = ModelFolder.Open(TinyModel.Folder);
        return new RandomModelShape
        {
            Transformer = folder.ReadConfig<FluxConfig>("transformer"),
            Clip = folder.ReadConfig<ClipTextConfig>("text_encoder"),
            T5 = folder.ReadConfig<T5Config>("text_encoder_2"),
            Vae = folder.ReadConfig<VaeConfig>("vae"),
        };
    }
}
