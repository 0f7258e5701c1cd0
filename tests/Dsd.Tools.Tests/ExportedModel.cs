using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

/// <summary>The fixtures' student as ONNX models, exported once by the command itself.</summary>
public sealed class ExportedModel : IAsyncLifetime
{
    /// <summary>Side of a frame in pixels: a multiple of 16, and of what every autoencoder of up to six levels makes one token of.</summary>
    public const int Side = 64;

    private readonly TemporaryFolder _folder = new();

    /// <summary>The ONNX folder.</summary>
    public string Folder => _folder.File("onnx");

    /// <summary>The options that name the student's parts.</summary>
    public static string[] Parts =>
    [
        "--model", Fixtures.Own("tiny-flux"),
        "--dsd", Fixtures.Own("tiny-dsd"),
        "--lora", Fixtures.Own("tiny-dsd", "pytorch_lora_weights.safetensors"),
        "--size", $"{Side}x{Side}",
    ];

    public async Task InitializeAsync()
    {
        CliResult result = await Cli.Run(["export", .. Parts, "--out", Folder]);
        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }
}
