using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Tests.Flux;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Sampling;

public sealed class FluxModelAdapterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FluxModel _model = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"));

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void SetAdapters_OfSeveral_IsTheSumOfTheirMergedWeights()
    {
        (string first, string second) = (Adapter(1), Adapter(2));

        _model.SetAdapters(new LoraUse(first, 0.5f), new LoraUse(second, -1));

        using FluxModel merged = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"));
        foreach ((string file, float scale) in new[] { (first, 0.5f), (second, -1f) })
        {
            using LoraAdapter adapter = LoraAdapter.Load(file);
            adapter.Merge(merged.Transformer, scale);
        }
        using Tensor expected = Predict(merged);
        using Tensor found = Predict(_model);
        TensorAssert.Close(expected, found);
    }

    [Fact]
    public void SetAdapters_InMemory_DrawsAsTheFileDoes_AndLeavesTheAdapterToItsOwner()
    {
        string file = Adapter(1);
        _model.SetAdapters(new LoraUse(file, 0.5f));
        using Tensor expected = Predict(_model);
        using LoraAdapter adapter = LoraAdapter.Load(file);
        ModelCheck.Plain(Fixtures.Path("tiny-flux"), 64, 64, new PipelineOptions { Loras = [new LoraUse(adapter)] });

        _model.SetAdapters(new LoraUse(adapter, 0.5f));
        using Tensor found = Predict(_model);
        _model.SetAdapters();
        _model.SetAdapters(new LoraUse(adapter, 0.5f));
        using Tensor again = Predict(_model);

        TensorAssert.Equal(expected, found);
        TensorAssert.Equal(expected, again);
    }

    [Fact]
    public void AnAdapterInMemory_ThatDoesNotFit_IsRefusedByItsSource()
    {
        using DisposeScope scope = NewDisposeScope();
        using LoraAdapter wrong = new("mine", new Dictionary<string, LoraFactors> { ["proj_out"] = new(ones(1, 1), ones(1, 1), 1) });
        LoraUse use = new(wrong);

        Assert.Contains("'mine'", Assert.Throws<WeightsException>(() => _model.SetAdapters(use)).Message, StringComparison.Ordinal);
        WeightsException e = Assert.Throws<WeightsException>(() => ModelCheck.Plain(Fixtures.Path("tiny-flux"), 64, 64, new PipelineOptions { Loras = [use] }));
        Assert.Contains("'mine'", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => use with { TextEncoders = LoraTextEncoders.Apply });
    }

    [Fact]
    public void SetAdapters_Swaps_AndLeavesNothingBehind()
    {
        using Tensor plain = Predict(_model);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        _model.SetAdapters(new LoraUse(Adapter(1)));
        using (Tensor with = Predict(_model))
        {
            Assert.False(plain.allclose(with));
        }
        _model.SetAdapters(new LoraUse(Adapter(2)));
        _model.SetAdapters();

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        using Tensor after = Predict(_model);
        TensorAssert.Equal(plain, after);
    }

    [Fact]
    public void SetAdapters_ThatDoNotFit_LeavesThoseFromBefore()
    {
        _model.SetAdapters(new LoraUse(Adapter(1)));
        using Tensor before = Predict(_model);
        string wrong = _folder.File("wrong.safetensors");
        using (Tensor factor = ones(1, 1))
        {
            SafetensorsWriter.Write(
                wrong, new Dictionary<string, Tensor> { ["transformer.proj_out.lora_A.weight"] = factor, ["transformer.proj_out.lora_B.weight"] = factor });
        }

        Assert.Throws<WeightsException>(() => _model.SetAdapters(new LoraUse(Adapter(2)), new LoraUse(wrong)));

        using Tensor after = Predict(_model);
        TensorAssert.Equal(before, after);
    }

    [Fact]
    public void SetAdapters_OfTwoThatHoldLayersWhole_IsRefused()
    {
        using FluxModel conditional = (FluxModel)DiffusionModel.LoadConditional(Fixtures.Path("tiny-flux"));
        string file = _folder.File("whole.safetensors");
        using (LoraAdapter adapter = LoraAdapter.Create(conditional.Transformer, new LoraOptions { Rank = 1 }))
        {
            adapter.Save(file);
        }

        Assert.Contains(
            "c_embedder",
            Assert.Throws<WeightsException>(() => conditional.SetAdapters(new LoraUse(file), new LoraUse(file))).Message,
            StringComparison.Ordinal);
    }

    private string Adapter(int seed)
    {
        string file = _folder.File($"{seed}.safetensors");
        using DisposeScope scope = NewDisposeScope();
        using LoraAdapter adapter = LoraAdapter.Create(_model.Transformer, new LoraOptions { Rank = 2, Seed = seed, Targets = ["attn.to_q", "proj_out"] });
        using Generator random = new((ulong)seed);
        foreach (LoraFactors factors in adapter.Factors.Values)
        {
            factors.B.copy_(randn(factors.B.shape, generator: random));
        }
        adapter.Save(file);
        return file;
    }

    private static Tensor Predict(FluxModel model)
    {
        using TensorDictionary inputs = FluxFixture.Inputs(model.Transformer.Config);
        return FluxFixture.Run(model.Transformer, inputs);
    }
}
