using Dsd.CommandLine;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny;

namespace Dsd.Lab.Tests.Commands;

public sealed class WorldCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task World_DrawsASubjectInEachRowAndAContextInEachColumn()
    {
        string file = _folder.File("new", "world.png");

        CliResult result = await Cli.Run("world", "--out", file, "--seed", "3", "--subjects", "2", "--contexts", "3");

        Assert.Equal((ExitCode.Done, file + Environment.NewLine), (result.ExitCode, result.Output));
        Picture picture = Picture.Load(file);
        Assert.Equal((3 * TinyModel.PanelSize + 8, 2 * TinyModel.PanelSize + 4), (picture.Width, picture.Height));
    }

    [Fact]
    public async Task World_IsTheSameForTheSameSeed()
    {
        await Cli.Run("world", "--out", _folder.File("a.png"), "--seed", "3", "--subjects", "1", "--contexts", "2");
        await Cli.Run("world", "--out", _folder.File("b.png"), "--seed", "3", "--subjects", "1", "--contexts", "2");

        Assert.Equal(File.ReadAllBytes(_folder.File("a.png")), File.ReadAllBytes(_folder.File("b.png")));
    }

    [Fact]
    public async Task World_WithoutAPlaceToWrite_IsWrongUse() =>
        (await Cli.Run("world")).AssertFails(ExitCode.WrongUse, "--out", "dsd-lab world --help");

    [Theory]
    [InlineData("--subjects", "0")]
    [InlineData("--contexts", "33")]
    [InlineData("--seed", "-1")]
    public async Task World_RefusesNumbersOutOfRange(string option, string value) =>
        (await Cli.Run("world", "--out", _folder.File("a.png"), option, value)).AssertFails(ExitCode.WrongUse, option, value);

    [Fact]
    public async Task World_RefusesAnotherKindOfPicture() =>
        (await Cli.Run("world", "--out", _folder.File("a.jpg"))).AssertFails(ExitCode.WrongUse, "a.jpg", ".png");

    [Fact]
    public async Task World_RefusesAPlaceUnderAFile()
    {
        File.WriteAllText(_folder.File("file"), "");

        (await Cli.Run("world", "--out", _folder.File("file", "a.png"))).AssertFails(ExitCode.Failed, "a.png", "is a file");
        Assert.Equal([_folder.File("file")], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task World_RefusesAFolder()
    {
        Directory.CreateDirectory(_folder.File("a.png"));

        (await Cli.Run("world", "--out", _folder.File("a.png"))).AssertFails(ExitCode.Failed, "a.png", "a folder stands there");
    }

    [Fact]
    public async Task World_WhenCancelled_LeavesNothing()
    {
        using StringWriter output = new();
        using StringWriter error = new();

        int exitCode = await LabCli.Program.RunAsync(["world", "--out", _folder.File("a.png")], output, error, new CancellationToken(canceled: true));

        Assert.Equal((ExitCode.Failed, "dsd-lab: Cancelled."), (exitCode, error.ToString().Trim()));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }
}
