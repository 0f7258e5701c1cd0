using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny;

namespace Dsd.Tools.Tests;

public sealed class MergeTests : IDisposable
{
    private static readonly string Lora = Fixtures.Own("tiny-dsd", "pytorch_lora_weights.safetensors");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Merge_WritesAModelThatInspectVerifies_AndGenerateDraws()
    {
        await Export();

        CliResult result = await Cli.Run("merge", "--onnx", _folder.File("base"), "--lora", $"{Lora}:0.5", "--out", _folder.File("merged"));

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal(_folder.File("merged"), result.Output.Trim());
        JsonElement report = await Cli.Json("inspect", _folder.File("merged"), "--verify");
        Assert.Equal(0.5, report.GetProperty("adapters").GetProperty("pytorch_lora_weights.safetensors").GetDouble());
        Pngs.Noisy(64, 64).Save(_folder.File("reference.png"));
        CliResult drawn = await Cli.Run(
            "generate", "--onnx", _folder.File("merged"), "--prompt", "a fox", "--image", _folder.File("reference.png"), "--steps", "1",
            "--out", _folder.File("fox.png"));
        Assert.True(drawn.ExitCode == ExitCode.Done, drawn.Error);
    }

    [Fact]
    public async Task Merge_LeavesWhatStandsAtItsTarget()
    {
        await Export();
        string[] merge = ["merge", "--onnx", _folder.File("base"), "--lora", Lora, "--out", _folder.File("base")];

        (await Cli.Run(merge)).AssertFails(ExitCode.Failed, "it is not empty", "--overwrite");
        CliResult result = await Cli.Run([.. merge, "--overwrite"]);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
    }

    [Fact]
    public async Task WhatMakesNoSense_IsRefused()
    {
        (await Cli.Run("merge", "--onnx", _folder.File("base"), "--out", _folder.File("merged"))).AssertFails(ExitCode.WrongUse, "--lora");
        (await Cli.Run("merge", "--onnx", _folder.File("base"), "--lora", $"{Lora}:0,5", "--out", _folder.File("merged")))
            .AssertFails(ExitCode.WrongUse, "'--lora'", "0,5");
        (await Cli.Run("merge", "--onnx", _folder.File("base"), "--lora", Lora, "--out", _folder.File("merged")))
            .AssertFails(ExitCode.Failed, _folder.File("base"), "dsd export");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task AnExportWithInputsForAdapters_DrawsWithThem_AsAMergedOneDoes()
    {
        await Export();
        await Export("inputs", "--adapter-inputs");
        Pngs.Noisy(64, 64).Save(_folder.File("reference.png"));
        Succeeded(await Cli.Run("merge", "--onnx", _folder.File("base"), "--lora", $"{Lora}:0.5", "--out", _folder.File("merged")));

        Succeeded(await Draw("merged", "merged.png"));
        Succeeded(await Draw("inputs", "given.png", "--lora", $"{Lora}:0.5"));
        Succeeded(await Draw("inputs", "none.png"));

        Assert.InRange(Difference("merged.png", "given.png"), 0, 1);
        Assert.True(Difference("merged.png", "none.png") > 1);
        (await Draw("base", "base.png", "--lora", Lora)).AssertFails(ExitCode.WrongUse, "--lora", "dsd merge", "--adapter-inputs");
        Assert.False(File.Exists(_folder.File("base.png")));
        Assert.True((await Cli.Json("inspect", _folder.File("inputs"))).GetProperty("settings").GetProperty("takes_adapters").GetBoolean());
    }

    [Fact]
    public async Task TheEmbeddedTeacher_DrawsWithItsStudentsAdapter_AsTheStudentDoes()
    {
        // The adapter holds the layer of the condition whole, which the teacher lacks.
        Succeeded(await Cli.Run("export", "--model", "tiny", "--out", _folder.File("student")));
        Succeeded(await Cli.Run("export", "--model", "tiny-teacher", "--adapter-inputs", "--out", _folder.File("teacher")));
        Pngs.Noisy(64, 64).Save(_folder.File("reference.png"));

        Succeeded(await Draw("student", "student.png"));
        Succeeded(await Draw("teacher", "given.png", "--lora", TinyModel.AdapterFile));

        Assert.InRange(Difference("student.png", "given.png"), 0, 1);
        (await Draw("teacher", "teacher.png")).AssertFails(ExitCode.Failed, "c_embedder", "--lora");
    }

    private static void Succeeded(CliResult result) => Assert.True(result.ExitCode == ExitCode.Done, result.Error);

    private Task<CliResult> Draw(string model, string picture, params string[] more) => Cli.Run(
        [
            "generate", "--onnx", _folder.File(model), "--prompt", "a fox", "--image", _folder.File("reference.png"), "--steps", "1",
            "--out", _folder.File(picture), .. more,
        ]);

    private int Difference(string one, string other) => Picture.Load(_folder.File(one)).Pixels.ToArray()
        .Zip(Picture.Load(_folder.File(other)).Pixels.ToArray(), (a, b) => Math.Abs(a - b)).Max();

    private async Task Export(string folder = "base", params string[] more)
    {
        CliResult result = await Cli.Run(
            [
                "export", "--model", Fixtures.Own("tiny-flux"), "--dsd", Fixtures.Own("tiny-dsd"), "--size", "64x64", "--out", _folder.File(folder),
                .. more,
            ]);
        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
    }
}
