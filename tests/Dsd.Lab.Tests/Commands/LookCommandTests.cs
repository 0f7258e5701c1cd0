using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Imaging;
using Dsd.Lab.Tests.Study.Baselines;
using Dsd.Testing;

namespace Dsd.Lab.Tests.Commands;

[Collection("Torch's random numbers")]
public sealed class LookCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--device", "tpu")]
    [InlineData("--subjects", "1")]
    [InlineData("--steps", "0")]
    [InlineData("--guidance", "101")]
    public async Task Look_WithValuesOutOfRange_IsWrongUse(string option, string value)
    {
        CliResult result = await Cli.Run("look", "--out", _folder.File("look"), option, value);

        Assert.Equal(ExitCode.WrongUse, result.ExitCode);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Look_WritesFiguresTextAndPictures()
    {
        using SmallTeacher teacher = new();
        teacher.AddMeasures();

        CliResult result = await Cli.Run(
            "look", "--model", teacher.Folder, "--out", _folder.File("look"), "--subjects", "2", "--steps", "1", "--guidance", "1");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(_folder.File("look", "look.json")));
        Assert.Equal(6, json.RootElement.GetArrayLength());
        Assert.Equal(9, json.RootElement[0].GetProperty("held").GetArrayLength());
        Assert.Contains("| another subject held | the step's | 2 |", File.ReadAllText(_folder.File("look", "look.md")), StringComparison.Ordinal);
        // Panels are as large as the model's classifier reads them, 32 pixels here: 24 in rows of eight.
        Picture sheet = Picture.Load(_folder.File("look", "look.png"));
        Assert.Equal((8 * 32 + 7 * 4, 3 * 32 + 2 * 4), (sheet.Width, sheet.Height));
    }
}
