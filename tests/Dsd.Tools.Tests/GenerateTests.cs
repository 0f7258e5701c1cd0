using System.Text.Json;
using System.Text.RegularExpressions;
using Dsd.CommandLine;
using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.World;
using Dsd.Tools.Serving;

namespace Dsd.Tools.Tests;

public sealed class GenerateTests(ExportedModel exported) : IClassFixture<ExportedModel>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Generate_DrawsAFrameFromAReference()
    {
        CliResult result = await Generate(Reference(), "--out", Result);

        Assert.Equal((ExitCode.Done, Result + Environment.NewLine), (result.ExitCode, result.Output));
        string[] counts = Regex.Match(result.Error, @"^onnx: the CPU \(.*transformer ([0-9,]+) of ([0-9,]+) nodes.*\)$", RegexOptions.Multiline)
            .Groups.Values.Skip(1).Select(g => g.Value).ToArray();
        Assert.Equal(2, counts.Length);
        Assert.NotEqual("", counts[0]);
        Assert.Equal(counts[0], counts[1]);
        Assert.Equal(ExportedModel.Side, Picture.Load(Result).Width);
    }

    [Fact]
    public async Task Generate_WithoutAReference_DrawsFromText()
    {
        CliResult result = await Cli.Run("generate", "--onnx", exported.Folder, "--prompt", "a fox", "--steps", "1", "--size", "96x64", "--out", Result);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Picture picture = Picture.Load(Result);
        Assert.Equal((96, 64), (picture.Width, picture.Height));
    }

    [Fact]
    public async Task Generate_ForSeveralPictures_WritesOneFileASeed()
    {
        string reference = Reference();
        await Generate(reference, "--seed", "8", "--out", Result);

        CliResult result = await Generate(reference, "--seed", "7", "--count", "2", "--out", _folder.File("many.png"));

        Assert.Equal([_folder.File("many.7.png"), _folder.File("many.8.png")], result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(File.ReadAllBytes(Result), File.ReadAllBytes(_folder.File("many.8.png")));
    }

    [Fact]
    public async Task Generate_WithTrueGuidance_DrawsAnotherPicture()
    {
        string reference = Reference();
        await Generate(reference, "--out", Result, "--steps", "3");

        CliResult result = await Generate(reference, "--out", _folder.File("guided.png"), "--image-guidance", "1.5", "--text-guidance", "2", "--steps", "3");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.NotEqual(File.ReadAllBytes(Result), File.ReadAllBytes(_folder.File("guided.png")));
    }

    [Fact]
    public async Task Generate_TakesAnEmptyPrompt()
    {
        CliResult result = await Cli.Run("generate", "--onnx", exported.Folder, "--image", Reference(), "--prompt", "", "--steps", "1", "--out", Result);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
    }

    [Fact]
    public async Task Generate_Enhanced_SaysTheNewPrompt_AndDrawsIt()
    {
        Subject subject = WorldSampler.Subjects(5).First();
        Renderer.Draw(subject, WorldSampler.SampleContext(new WorldRandom(5)), TinyModel.PanelSize).Save(_folder.File("reference.png"));
        string[] command =
        [
            "generate", "--onnx", exported.Folder, "--image", _folder.File("reference.png"), "--prompt", "this creature in the snow", "--steps", "1",
        ];
        await Cli.Run([.. command, "--out", _folder.File("plain.png")]);

        CliResult result = await Cli.Run([.. command, "--enhance", "--out", Result]);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Match prompt = Regex.Match(result.Error, "^prompt: this (.+) in the snow$", RegexOptions.Multiline);
        Assert.True(prompt.Success, result.Error);
        Assert.Equal((int)subject.Color, StatedAttributes.Of(prompt.Groups[1].Value)[1]);
        Assert.NotEqual(File.ReadAllBytes(_folder.File("plain.png")), File.ReadAllBytes(Result));
    }

    [Fact]
    public async Task Generate_WhenEnhancingFails_DrawsThePromptAsItIs_AndWarns()
    {
        await using ChatServer server = await ChatServer.StartAsync(new ChatServerOptions { Answer = (_, _) => Task.FromResult("I had rather not.") });
        File.WriteAllText(
            _folder.File("chat.json"),
            JsonSerializer.Serialize(new
            {
                models = new { some = new { address = server.Address, model = "some-1" } },
                judge = new { ask = new[] { "tiny" } },
                enhancer = "some",
            }));
        string reference = Reference();
        await Generate(reference, "--out", _folder.File("plain.png"));

        CliResult result = await Generate(reference, "--out", Result, "--enhance", "--chat", _folder.File("chat.json"));

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("warning: The prompt stays as it is", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, server.Asked);
        Assert.Equal(File.ReadAllBytes(_folder.File("plain.png")), File.ReadAllBytes(Result));
    }

    [Fact]
    public async Task Generate_RefusesToEnhanceWithoutAReference_AndAChatFileForNothing()
    {
        (await Cli.Run("generate", "--onnx", exported.Folder, "--prompt", "a fox", "--enhance", "--out", Result))
            .AssertFails(ExitCode.WrongUse, "'--enhance'", "'--image'");
        (await Generate(Reference(), "--out", Result, "--chat", _folder.File("chat.json"))).AssertFails(ExitCode.WrongUse, "'--chat'", "'--enhance'");
    }

    [Fact]
    public async Task Generate_WarnsOfAPromptThatIsTooLong()
    {
        string prompt = string.Join(' ', Enumerable.Repeat("fox", 700));

        CliResult result = await Cli.Run("generate", "--onnx", exported.Folder, "--image", Reference(), "--prompt", prompt, "--steps", "1", "--out", Result);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("warning: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generate_WithTorch_DrawsTheEmbeddedStudentsPicture()
    {
        string reference = Reference();
        CliResult result = await Torch("--image", reference, "--steps", "3");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        using DsdPipeline student = DsdPipeline.Load(TinyModel.Folder, options: new PipelineOptions { Loras = [new LoraUse(TinyModel.AdapterFile)] });
        Picture expected = student.Generate([new DsdRequest(Picture.Load(reference), "a fox", 0)], TinyModel.Sampling with { Steps = 3 })[0];
        Assert.Equal(expected.Pixels, Picture.Load(Result).Pixels);
    }

    [Fact]
    public async Task Generate_WithTorchAndNoReference_DrawsFromText()
    {
        CliResult result = await Torch("--size", "96x64", "--steps", "1");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal((96, 64), (Picture.Load(Result).Width, Picture.Load(Result).Height));
    }

    [Fact]
    public async Task Generate_WithTorch_LaysAdaptersOverTheModelAtTheirStrengths()
    {
        string reference = Reference();
        await Torch("--image", reference, "--steps", "1");
        byte[] whole = File.ReadAllBytes(Result);
        await Torch("--image", reference, "--steps", "1", "--lora", $"{TinyModel.AdapterFile}:0.5");
        byte[] half = File.ReadAllBytes(Result);
        await Torch("--image", reference, "--steps", "1", "--lora", $"{TinyModel.AdapterFile}:1");

        Assert.NotEqual(whole, half);
        Assert.Equal(whole, File.ReadAllBytes(Result));
        (await Torch("--image", reference, "--lora", TinyModel.AdapterFile, "--lora", TinyModel.AdapterFile))
            .AssertFails(ExitCode.Failed, "one adapter that holds layers whole");
        (await Torch("--image", reference, "--lora", $"{TinyModel.AdapterFile}:101")).AssertFails(ExitCode.WrongUse, "'--lora': the strength", "101");
    }

    [Fact]
    public async Task Generate_WithTorch_TakesOtherFilesForTransformerAndAutoencoder()
    {
        string reference = Reference();
        await Torch("--image", reference, "--steps", "1");
        byte[] own = File.ReadAllBytes(Result);

        CliResult result = await Torch(
            "--image", reference, "--steps", "1",
            "--transformer", Path.Combine(TinyModel.Folder, "transformer", "diffusion_pytorch_model.safetensors"),
            "--vae", Path.Combine(TinyModel.Folder, "vae", "diffusion_pytorch_model.safetensors"));

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal(own, File.ReadAllBytes(Result));
        (await Torch("--image", reference, "--vae", TinyModel.AdapterFile)).AssertFails(ExitCode.Failed, TinyModel.AdapterFile, "encoder.conv_in.weight");
    }

    [Fact]
    public async Task Generate_WithABlockCache_DrawsAnotherPicture()
    {
        string reference = Reference();
        await Torch("--image", reference, "--steps", "6");
        byte[] own = File.ReadAllBytes(Result);

        CliResult result = await Torch("--image", reference, "--steps", "6", "--block-cache", "0.9", "--vae-tile", "128");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.NotEqual(own, File.ReadAllBytes(Result));
    }

    [Fact]
    public async Task Generate_WantsOneModel()
    {
        (await Cli.Run("generate", "--prompt", "x", "--out", Result)).AssertFails(ExitCode.WrongUse, "--onnx", "--model", "neither");
        (await Torch("--onnx", exported.Folder)).AssertFails(ExitCode.WrongUse, "--onnx", "--model", "both");
        (await Cli.Run("generate", "--onnx", exported.Folder, "--prompt", "x", "--out", Result, "--memory", "streamed"))
            .AssertFails(ExitCode.WrongUse, "'--memory'", "--model");
        (await Torch("--memory", "streamed")).AssertFails(ExitCode.WrongUse, "'--memory'", "GPU");
        (await Torch("--float8")).AssertFails(ExitCode.WrongUse, "'--float8'", "GPU");
        (await Torch("--dsd", "somewhere")).AssertFails(ExitCode.WrongUse, "--dsd", "--image");
    }

    [Fact]
    public async Task Generate_WithoutAPrompt_IsWrongUse() =>
        (await Cli.Run("generate", "--onnx", exported.Folder, "--out", Result)).AssertFails(ExitCode.WrongUse, "--prompt", "dsd generate --help");

    [Fact]
    public async Task Generate_WithGuidanceToNoReference_IsWrongUse() =>
        (await Cli.Run("generate", "--onnx", exported.Folder, "--prompt", "x", "--image-guidance", "2", "--out", Result))
            .AssertFails(ExitCode.WrongUse, "--image-guidance", "--image");

    /// <summary>The tests' ONNX Runtime has the processor alone.</summary>
    [Fact]
    public async Task Generate_FallsBackToADeviceThatWasNamed_AndWarns()
    {
        string reference = Reference();
        CliResult result = await Generate(reference, "--out", Result, "--device", "tensorrt,cuda,cpu");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("warning: In place of the providers that were preferred, the CPU computes.", result.Error, StringComparison.Ordinal);
        Assert.Contains("Microsoft.ML.OnnxRuntime.Gpu", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Result));
        (await Generate(reference, "--out", Result, "--device", "tensorrt,cuda")).AssertFails(ExitCode.Failed, "None of the providers", "TensorRT", "CUDA");
        (await Torch("--image", reference, "--device", "tensorrt")).AssertFails(ExitCode.WrongUse, "--device tensorrt", "--onnx");
    }

    [Fact]
    public async Task Generate_WithIdleComponentsClosed_DrawsTheSamePicture()
    {
        string reference = Reference();
        await Generate(reference, "--out", Result);
        byte[] resident = File.ReadAllBytes(Result);

        CliResult result = await Generate(reference, "--out", Result, "--memory", "idle-closed");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal(resident, File.ReadAllBytes(Result));
    }

    [Fact]
    public async Task Generate_RefusesMemoryOptionsOfTheOtherBackend()
    {
        string reference = Reference();
        (await Generate(reference, "--out", Result, "--memory", "streamed"))
            .AssertFails(ExitCode.WrongUse, "'--memory' is streamed", "resident or modulation-closed or idle-closed");
        (await Generate(reference, "--out", Result, "--memory-limit", "8")).AssertFails(ExitCode.WrongUse, "--memory-limit", "CUDA");
        (await Generate(reference, "--out", Result, "--cuda-graphs")).AssertFails(ExitCode.WrongUse, "--cuda-graphs", "CUDA");
        (await Generate(reference, "--out", Result, "--device", "cuda", "--cuda-graphs", "--memory", "idle-closed"))
            .AssertFails(ExitCode.WrongUse, "--cuda-graphs", "stays open", "idle-closed");
        (await Torch("--image", reference, "--cuda-graphs")).AssertFails(ExitCode.WrongUse, "--cuda-graphs", "--onnx");
        (await Torch("--image", reference, "--memory", "idle-closed")).AssertFails(ExitCode.WrongUse, "'--memory' is idle-closed", "or streamed");
        (await Torch("--image", reference, "--memory-limit", "8")).AssertFails(ExitCode.WrongUse, "--memory-limit", "--onnx");
        (await Generate(reference, "--out", Result, "--dtype", "float16")).AssertFails(ExitCode.WrongUse, "--dtype", "--model");
    }

    [Theory]
    [InlineData("--steps", "0")]
    [InlineData("--guidance", "NaN")]
    [InlineData("--text-guidance", "-1")]
    [InlineData("--size", "60x64")]
    [InlineData("--count", "0")]
    [InlineData("--device", "tpu")]
    [InlineData("--device", "cpu,cuda")]
    public async Task Generate_WithValuesOutOfRange_IsWrongUse(string option, string value)
    {
        (await Cli.Run("generate", "--onnx", exported.Folder, "--image", Reference(), "--prompt", "x", "--out", Result, option, value))
            .AssertFails(ExitCode.WrongUse, option);
        Assert.False(File.Exists(Result));
    }

    [Theory]
    [InlineData("0,8")]
    [InlineData("1e0")]
    [InlineData("+1")]
    [InlineData("")]
    public async Task Generate_WithAnAdaptersStrengthThatIsNoNumber_QuotesIt(string strength) =>
        (await Torch("--lora", $"{TinyModel.AdapterFile}:{strength}")).AssertFails(ExitCode.WrongUse, "'--lora'", $"but is '{strength}'");

    [Fact]
    public async Task Generate_WhereNoMessageCanBeWritten_DrawsAllTheSame()
    {
        using StringWriter output = new();

        int exitCode = await DsdCli.Program.RunAsync(
            ["generate", "--model", TinyModel.Name, "--prompt", "x", "--steps", "1", "--out", Result], output, new FullWriter());

        Assert.Equal((ExitCode.Done, Result + Environment.NewLine), (exitCode, output.ToString()));
    }

    [Fact]
    public async Task Generate_WhereTheResultCannotBeWritten_FailsAndKeepsThePicture()
    {
        using StringWriter error = new();

        int exitCode = await DsdCli.Program.RunAsync(
            ["generate", "--model", TinyModel.Name, "--prompt", "x", "--steps", "1", "--out", Result], new FullWriter(), error);

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("dsd: Cannot write to standard output: the disk is full.", error.ToString(), StringComparison.Ordinal);
        Assert.True(File.Exists(Result));
    }

    [Fact]
    public async Task Generate_FromWhatIsNoImage_LeavesNothing()
    {
        File.WriteAllText(_folder.File("reference.png"), "no image");

        (await Generate(_folder.File("reference.png"), "--out", Result)).AssertFails(ExitCode.Failed, "reference.png", "PNG");
        Assert.False(File.Exists(Result));
    }

    [Fact]
    public async Task Generate_FromASinglePixel_IsRefused()
    {
        new Picture(1, 1, [1, 2, 3]).Save(_folder.File("reference.png"));

        (await Generate(_folder.File("reference.png"), "--out", Result)).AssertFails(ExitCode.Failed, "reference.png", "1 × 1");
        Assert.False(File.Exists(Result));
    }

    [Fact]
    public async Task Generate_FromAHeaderThatClaimsAHugePicture_IsRefused()
    {
        File.WriteAllBytes(_folder.File("reference.png"), Pngs.Claiming(60_000, 60_000));

        (await Generate(_folder.File("reference.png"), "--out", Result)).AssertFails(ExitCode.Failed, "reference.png", "60000 × 60000");
        Assert.False(File.Exists(Result));
    }

    [Fact]
    public async Task Generate_FromAMissingImage_NamesIt() =>
        (await Generate(_folder.File("none.png"), "--out", Result)).AssertFails(ExitCode.Failed, "none.png");

    [Fact]
    public async Task Generate_WithWhatIsNoExport_NamesTheFolder() =>
        (await Cli.Run("generate", "--onnx", Fixtures.Own("tiny-flux"), "--prompt", "x", "--out", Result))
            .AssertFails(ExitCode.Failed, "tiny-flux", "dsd.json");

    [Fact]
    public async Task Generate_IntoAFolderThatTakesNoFiles_IsRefusedAtOnce()
    {
        File.WriteAllText(_folder.File("file"), "");

        (await Generate(Reference(), "--out", _folder.File("file", "result.png"))).AssertFails(ExitCode.Failed, "result.png", "is a file");
    }

    [Fact]
    public async Task Generate_WhenCancelled_LeavesNothing()
    {
        string[] args = ["generate", "--onnx", exported.Folder, "--image", Reference(), "--prompt", "x", "--steps", "50", "--out", Result];
        using CancelledByWriting error = new();

        int exitCode = await DsdCli.Program.RunAsync(args, TextWriter.Null, error, error.Token);

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Equal([_folder.File("reference.png")], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    private string Result => _folder.File("result.png");

    private Task<CliResult> Torch(params string[] more) => Cli.Run(["generate", "--model", TinyModel.Name, "--prompt", "a fox", "--out", Result, .. more]);

    private Task<CliResult> Generate(string reference, params string[] options) =>
        Cli.Run(["generate", "--onnx", exported.Folder, "--image", reference, "--prompt", "a fox in the snow", .. options.Contains("--steps")
            ? []
            : new[] { "--steps", "1" }, .. options]);

    private string Reference()
    {
        byte[] pixels = [.. Enumerable.Range(0, 3 * 80 * 70).Select(i => (byte)(i * 7))];
        string file = _folder.File("reference.png");
        new Picture(80, 70, pixels).Save(file);
        return file;
    }
}
