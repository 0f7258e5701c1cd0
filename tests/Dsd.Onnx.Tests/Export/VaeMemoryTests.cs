using System.Text.Json;
using Dsd.Models.Autoencoder;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Testing;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Tests.Export;

/// <summary>How much of what the decoder computes is in memory at once, by the order in which ONNX Runtime runs its nodes.</summary>
public sealed class VaeMemoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Decoder_HoldsHalfMoreThanTwoOfItsLargestTensors()
    {
        // In proportion as FLUX's: the largest tensors come into the last level, with twice the channels that go out of it.
        VaeConfig config = new()
        {
            LatentChannels = 4,
            BlockOutChannels = [8, 16, 32, 32],
            NormNumGroups = 4,
            LayersPerBlock = 2,
            UseQuantConv = false,
            UsePostQuantConv = false,
            ScalingFactor = 1,
            ShiftFactor = 0,
        };
        using (AutoencoderKL vae = new(config))
        {
            SafetensorsWriter.Write(_folder.File("model.safetensors"), vae.state_dict());
        }
        const int Height = 8;
        const int Width = 16;
        long largest = 16L * (8 * Height) * (8 * Width) * sizeof(float);
        using (WeightSource source = WeightSource.Open(_folder.Path))
        {
            ModelWriter.Write(VaeDecoderExport.Build(config, new CheckpointWeights(source)), _folder.File("decoder"));
        }

        long most = MostAtOnce(_folder.File("decoder"), [1, 4, Height, Width]);

        // The tensor that is normalised, what becomes of it, and the half as large shortcut: 2.5, and means and scales besides.
        Assert.InRange(most / (double)largest, 2, 2.6);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Bytes of all tensors that are still needed or just made, at the node where they are most.</summary>
    private long MostAtOnce(string model, long[] latent)
    {
        string optimised = _folder.File("optimised.onnx");
        // What a processor does with the layout of convolutions is left out: a GPU does something else.
        using SessionOptions options = new()
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
            OptimizedModelFilePath = optimised,
            EnableProfiling = true,
            ProfileOutputPathPrefix = _folder.File("profile"),
        };
        using InferenceSession session = new(Path.Combine(model, ModelWriter.ModelFile), options);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(new float[latent.Aggregate(1L, (all, side) => all * side)], latent);
        using RunOptions run = new();
        session.Run(run, ["latent"], [input], ["image"]).Dispose();
        using FileStream file = File.OpenRead(optimised);
        Dictionary<string, NodeProto> nodes = ModelProto.Parser.ParseFrom(file).Graph.Node.ToDictionary(n => n.Name);
        (NodeProto Node, long Bytes)[] order = [.. Order(session.EndProfiling()).Select(e => (nodes[e.Name], e.Bytes))];

        // What is reshaped stays where it is.
        Dictionary<string, string> same = [];
        Dictionary<string, int> lastUse = [];
        foreach ((int i, (NodeProto node, _)) in order.Index())
        {
            if (node.OpType == "Reshape")
            {
                same[node.Output[0]] = Own(node.Input[0]);
            }
            foreach (string used in node.Input)
            {
                lastUse[Own(used)] = i;
            }
        }
        Dictionary<string, long> held = [];
        long most = 0;
        foreach ((int i, (NodeProto node, long bytes)) in order.Index())
        {
            if (node.OpType != "Reshape")
            {
                held[node.Output[0]] = bytes;
            }
            most = Math.Max(most, held.Values.Sum());
            foreach (string done in held.Keys.Where(name => lastUse.GetValueOrDefault(name, -1) <= i).ToArray())
            {
                held.Remove(done);
            }
        }
        return most;

        string Own(string name) => same.GetValueOrDefault(name, name);
    }

    private static IEnumerable<(string Name, long Bytes)> Order(string profile)
    {
        const string Run = "_kernel_time";
        using JsonDocument events = JsonDocument.Parse(File.ReadAllText(profile));
        return
        [
            .. events.RootElement.EnumerateArray()
                .Where(e => e.GetProperty("name").GetString()!.EndsWith(Run, StringComparison.Ordinal))
                .OrderBy(e => e.GetProperty("ts").GetInt64())
                .Select(e => (
                    e.GetProperty("name").GetString()![..^Run.Length],
                    long.Parse(e.GetProperty("args").GetProperty("output_size").GetString()!))),
        ];
    }
}
