using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dsd.CommandLine;
using Dsd.Dataset.Formats;
using Dsd.Models.Weights;
using Dsd.Testing;
using Dsd.Tiny;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tools.Tests;

/// <summary><c>dsd train</c> as torchrun starts it: several processes that train one adapter.</summary>
public sealed class GroupTrainTests : IDisposable
{
    private const string Adapter = "pytorch_lora_weights.safetensors";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TwoProcesses_LearnWhatOneWithTwiceTheBatchDoes()
    {
        string pairs = TrainPairs.Write(_folder.File("pairs"), PairFormat.ImageFolder, 4);
        string[] Arguments(string folder, int batch) =>
        [
            "train", "--model", TinyModel.Name, "--pairs", pairs, "--out", _folder.File(folder), "--size", "32x32", "--steps", "2",
            "--batch", batch.ToString(CultureInfo.InvariantCulture), "--rank", "2", "--device", "cpu",
        ];
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        listener.Stop();

        CliResult[] results = await Task.WhenAll(
            StartAsync(Arguments("two", 1), 0, 2, port), StartAsync(Arguments("two", 1), 1, 2, port), StartAsync(Arguments("one", 2), 0, 1, null));

        Assert.All(results, r => Assert.True(r.ExitCode == ExitCode.Done, r.Error));
        // The others say nothing of their own.
        Assert.Equal("", results[1].Output);
        AssertNear(Path.Combine(_folder.File("one"), Adapter), Path.Combine(_folder.File("two"), Adapter));
    }

    private static async Task<CliResult> StartAsync(string[] arguments, int rank, int world, string? port)
    {
        ProcessStartInfo start = new("dotnet", [typeof(DsdCli).Assembly.Location, .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["OMP_NUM_THREADS"] = "1";
        if (port is not null)
        {
            start.Environment["RANK"] = start.Environment["LOCAL_RANK"] = rank.ToString(CultureInfo.InvariantCulture);
            start.Environment["WORLD_SIZE"] = world.ToString(CultureInfo.InvariantCulture);
            start.Environment["MASTER_ADDR"] = "127.0.0.1";
            start.Environment["MASTER_PORT"] = port;
        }
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new CliResult("dsd", process.ExitCode, await output, error);
    }

    private static void AssertNear(string expected, string found)
    {
        using DisposeScope scope = NewDisposeScope();
        using SafetensorsFile one = SafetensorsFile.Open(expected);
        using SafetensorsFile two = SafetensorsFile.Open(found);
        Assert.Equal(one.Entries.Keys.Order(), two.Entries.Keys.Order());
        double apart = 0, moved = 0;
        foreach (string name in one.Entries.Keys)
        {
            (Tensor a, Tensor b) = (one.Read(name), two.Read(name));
            apart += (a - b).square().sum().item<float>();
            // The B factors begin at zero, so they are what was learnt.
            moved += name.Contains("lora_B", StringComparison.Ordinal) ? a.square().sum().item<float>() : 0;
        }
        Assert.True(moved > 0, "nothing was learnt");
        Assert.InRange(Math.Sqrt(apart / moved), 0, 0.02);
    }
}
