using Dsd.CommandLine;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Pictures;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

public sealed class ExportEncoderTests : IDisposable
{
    private static readonly string Encoders = Path.Combine(Fixtures.Repository, "tests", "fixtures-eval");
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File("out");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Export_WritesAnEncoder()
    {
        CliResult result = await Cli.Run("export", "--encoder", Path.Combine(Encoders, "clip"), "--out", Target, "--resize", "pillow");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal(Target + Environment.NewLine, result.Output);
        EncoderFolder folder = EncoderFolder.Open(Target);
        Assert.Equal((EncoderKind.Clip, Resampling.Pillow), (folder.Kind, folder.Preprocessing.Resampling));
    }

    [Fact]
    public async Task Export_TakesCsdsFile_AndItsHeads()
    {
        string file = Path.Combine(Encoders, "csd", "csd_vit-large.pth");
        (await Cli.Run("export", "--encoder", file, "--out", Target)).AssertFails(ExitCode.Failed, file, "'--heads'");

        CliResult result = await Cli.Run("export", "--encoder", file, "--heads", "4", "--out", Target);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal(EncoderKind.Csd, EncoderFolder.Open(Target).Kind);
    }

    [Fact]
    public async Task Export_KeepsAnEarlierOne_UnlessToldOtherwise()
    {
        string[] export = ["export", "--encoder", Path.Combine(Encoders, "dino"), "--out", Target];
        Assert.Equal(ExitCode.Done, (await Cli.Run(export)).ExitCode);
        (await Cli.Run(export)).AssertFails(ExitCode.Failed, Target, "'--overwrite'");
        Assert.Equal(ExitCode.Done, (await Cli.Run([.. export, "--overwrite"])).ExitCode);
    }

    [Theory]
    [InlineData("'--model' is required, or '--encoder'")]
    [InlineData("'--heads' is for encoders", "--model", "tiny", "--heads", "4")]
    [InlineData("'--resize' is for encoders", "--model", "tiny", "--resize", "pillow")]
    [InlineData("'--model' is for models that draw", "--encoder", "x", "--model", "tiny")]
    [InlineData("'--precision' is for models that draw", "--encoder", "x", "--precision", "float16")]
    [InlineData("'--resize' must be one of pillow, torchvision, torchvision-floats", "--encoder", "x", "--resize", "skia")]
    [InlineData("'--heads' must lie between 1 and 1024", "--encoder", "x", "--heads", "0")]
    public async Task WrongUse_IsSaid(string expected, params string[] options) =>
        (await Cli.Run(["export", .. options, "--out", Target])).AssertFails(ExitCode.WrongUse, expected);

    [Fact]
    public async Task WhatIsNoEncoder_IsNamed() =>
        (await Cli.Run("export", "--encoder", Fixtures.Own("tiny-flux"), "--out", Target)).AssertFails(ExitCode.Failed, "a config.json with a model_type");
}
