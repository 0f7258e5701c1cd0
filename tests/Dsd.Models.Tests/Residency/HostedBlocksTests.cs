using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Native;
using Dsd.Models.Residency;
using Dsd.Models.Tests.Flux;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Residency;

public class HostedBlocksTests
{
    [Theory]
    [InlineData(false, "a0 b1 a2 b3 a4")]
    [InlineData(true, "a4 b3 a2 b1 a0")]
    public void Run_BringsEachBlockToAPlaceInTurn(bool backwards, string expected)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        nn.Module[] hosts = [.. Enumerable.Range(0, 5).Select(i => Numbered(i))];
        Queue<string> names = new(["a", "b"]);
        Dictionary<nn.Module, string> places = [];
        using HostedBlocks<nn.Module> hosted = new(hosts, CPU, () =>
        {
            nn.Module place = Numbered(-1);
            places.Add(place, names.Dequeue());
            return place;
        });

        IEnumerable<string> seen = (backwards ? hosted.RunBackwards() : hosted.Run()).Select(p =>
            $"{places[p]}{p.named_parameters().Single(n => n.name == "weight").parameter.item<float>()}");

        Assert.Equal(expected, string.Join(' ', seen));
    }

    [Fact]
    public void Run_LeavesWhatStaysAndLendsTheRest()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        List<(float, float)> lent = [];
        static float Bias(nn.Module m) => m.named_parameters().Single(n => n.name == "bias").parameter.item<float>();
        using HostedBlocks<nn.Module> hosted = new(
            [Numbered(1), Numbered(2)], CPU, () => Numbered(-1), name => name == "bias", (host, place) => lent.Add((Bias(host), Bias(place))));

        Assert.Equal(2, hosted.Run().Count());
        Assert.Equal([(1f, -1f), (2f, -1f)], lent);
    }

    [Fact]
    public void Transformer_ThatPassesThrough_GivesTheSame_WithAndWithoutAdapter()
    {
        using DisposeScope scope = NewDisposeScope();
        using TensorDictionary io = Fixtures.Tensors("dsd_transformer.safetensors");
        using TensorDictionary adapted = Fixtures.Tensors("dsd_transformer_lora.safetensors");
        FluxConfig config = ModelFolder.OpenParts(Fixtures.Path("tiny-dsd")).ReadConfig<FluxConfig>("transformer");
        using WeightSource weights = WeightSource.Open(Fixtures.Path("tiny-dsd", "transformer"));
        using FluxTransformer resident = FluxCheckpoint.Load(config, weights);
        foreach (MemoryMode memory in new[] { MemoryMode.IdleOnHost, MemoryMode.Streamed })
        {
            using FluxTransformer transformer = FluxCheckpoint.Load(config, weights, null, null, memory);
            TensorAssert.Equal(FluxFixture.Run(resident, io), FluxFixture.Run(transformer, io));

            using LoraAdapter adapter = LoraAdapter.Create(resident, new LoraOptions { Rank = 4, Seed = 1 });
            foreach (Tensor b in adapter.Factors.Values.Select(f => f.B))
            {
                b.fill_(0.1f);
            }
            using LoraAttachment one = adapter.Attach(resident);
            using LoraAttachment two = adapter.Attach(transformer);
            Tensor expected = FluxFixture.Run(resident, io);
            TensorAssert.Equal(expected, FluxFixture.Run(transformer, io));
            using (FluxTransformer plain = FluxCheckpoint.Load(config, weights))
            {
                Assert.False(expected.allclose(FluxFixture.Run(plain, io)));
            }
        }
    }

    [Fact]
    public void Transformer_ThatPassesThrough_KeepsNoGraph()
    {
        using DisposeScope scope = NewDisposeScope();
        using TensorDictionary io = Fixtures.Tensors("transformer.safetensors");
        FluxConfig config = ModelFolder.OpenParts(Fixtures.Path("tiny-flux")).ReadConfig<FluxConfig>("transformer");
        using WeightSource weights = WeightSource.Open(Fixtures.Path("tiny-flux", "transformer"));
        using FluxTransformer transformer = FluxCheckpoint.Load(config, weights, null, null, MemoryMode.Streamed);

        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => transformer.forward(
            io["hidden_states"], null, io["encoder_hidden_states"], io["pooled_projections"], io["timestep"],
            config.GuidanceEmbeds ? io["guidance"] : null, io["img_ids"], io["txt_ids"]));
        Assert.Contains("Resident", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void T5_WhoseBlocksPassThrough_GivesTheSame()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        string folder = Fixtures.Path("tiny-flux", "text_encoder_2");
        using T5Encoder resident = T5Encoder.Load(folder);
        using T5Encoder hosted = T5Encoder.Load(folder, null, null, onHost: true);
        Tensor ids = tensor(new long[] { 3, 5, 1, 0, 0, 0 }, [2, 3]);

        TensorAssert.Equal(resident.forward(ids), hosted.forward(ids));
        TensorAssert.Equal(resident.forward(ids), hosted.forward(ids));
    }

    [Fact]
    public void Slab_KeepsTogetherWhatLayTogether()
    {
        (long, long)[] tensors = [(1000, 100), (1100, 60), (5000, 10), (6000, 64)];

        Assert.Equal([0, 100, 192, 256], HostSlab.Starts(tensors, out long bytes));
        Assert.Equal(320, bytes);
    }

    [Fact]
    public void Slab_TakesTensorsOver()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor whole = zeros(6, 4);
        Tensor[] tensors = [whole.narrow(0, 3, 3), zeros(5), whole.narrow(0, 0, 3), zeros(2, dtype: ScalarType.Float64)];
        using HostSlab slab = new(tensors);
        for (int i = 0; i < tensors.Length; i++)
        {
            tensors[i].fill_(i);
        }

        Assert.Equal([3, 4], tensors[0].shape);
        Assert.Equal([0f, 1f, 2f, 3f], tensors.Select(t => t.to(ScalarType.Float32).mean().item<float>()));
        Assert.Equal(TensorMemory.Address(tensors[2]) + 48, TensorMemory.Address(tensors[0]));
        Assert.Equal(0, whole.max().item<float>());
        // Whole pages: those of each type.
        Assert.Equal(2 * 4096, slab.Bytes);
    }

    private static nn.Module Numbered(int number)
    {
        nn.Module module = nn.Linear(1, 1);
        foreach (TorchSharp.Modules.Parameter parameter in module.parameters())
        {
            nn.init.constant_(parameter, number);
        }
        return module;
    }
}
