using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Flux;

/// <summary>Gradients of a transformer whose first blocks keep no graph are those of one that keeps all of it.</summary>
public sealed class FluxTapeTests : IDisposable
{
    private static readonly FluxConfig Config = ModelFolder.OpenParts(Fixtures.Path("tiny-dsd")).ReadConfig<FluxConfig>("transformer");
    private readonly TensorDictionary _io = Fixtures.Tensors("dsd_transformer.safetensors");

    public static TheoryData<int> Counts => [.. Enumerable.Range(1, Config.NumLayers + Config.NumSingleLayers)];

    public static TheoryData<int> WrittenCounts => [0, 1, Config.NumLayers, Config.NumLayers + 1, Config.NumLayers + Config.NumSingleLayers];

    public void Dispose() => _io.Dispose();

    [Theory]
    [MemberData(nameof(Counts))]
    public void OfAnyNumberOfBlocks_TheGradientsAreTheSame(int blocks)
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        // Everything that can learn: embedders, modulations and all that a gradient reaches through them.
        using LoraAttachment attached = Attach(transformer, [.. transformer.Linears().Keys.Where(n => n != "c_embedder")]);
        (float loss, float[][] expected) = Gradients(transformer, attached);

        transformer.RecomputedBlocks = blocks;
        (float again, float[][] found) = Gradients(transformer, attached);

        Assert.Equal(loss, again);
        Assert.All(expected, gradient => Assert.Contains(gradient, v => v != 0));
        AssertNear(expected, found);
    }

    [Fact]
    public void WithoutGradientsBeforeTheBlocks_TheyAreTheSameToo()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using LoraAttachment attached = Attach(transformer, LoraOptions.AllTargets, condition: false);
        (_, float[][] expected) = Gradients(transformer, attached);

        transformer.RecomputedBlocks = transformer.Blocks;

        AssertNear(expected, Gradients(transformer, attached).Values);
    }

    [Fact]
    public void BlocksThatPassThrough_Learn()
    {
        using FluxTransformer resident = Load(MemoryMode.Resident);
        using LoraAttachment one = Attach(resident, LoraOptions.AllTargets);
        using FluxTransformer streamed = Load(MemoryMode.Streamed);
        using LoraAttachment two = Attach(streamed, LoraOptions.AllTargets);
        (_, float[][] expected) = Gradients(resident, one);

        streamed.RecomputedBlocks = streamed.Blocks;

        AssertNear(expected, Gradients(streamed, two).Values);
    }

    [Fact]
    public void SeveralPasses_AddUp()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using LoraAttachment attached = Attach(transformer, LoraOptions.AllTargets);
        float[][] Twice()
        {
            using DisposeScope scope = NewDisposeScope();
            transformer.Backward(Run(transformer).square().mean() + (2 * Run(transformer)).mean());
            return Taken(attached);
        }
        float[][] expected = Twice();

        transformer.RecomputedBlocks = transformer.Blocks;

        AssertNear(expected, Twice());
    }

    [Fact]
    public void NoTensorIsLeft()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using LoraAttachment attached = Attach(transformer, LoraOptions.AllTargets);
        transformer.RecomputedBlocks = transformer.Blocks - 1;

        LiveTensors.AssertUnchanged(() => Gradients(transformer, attached));
        // Nor of a pass that nobody goes back from, once the next way back is gone.
        LiveTensors.AssertUnchanged(() =>
        {
            Run(transformer).Dispose();
            Gradients(transformer, attached);
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void WrittenOut_EachBlockIsToldOnce_WhenItsGradientsAreWhole(int passes)
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using LoraAttachment attached = Attach(transformer, LoraOptions.AllTargets);
        transformer.WritesGradients = true;
        List<string> told = [];
        Dictionary<string, float[]> then = [];
        transformer.BlockIsBack = block =>
        {
            told.Add(block);
            foreach ((string name, Parameter parameter) in attached.Parameters.Where(p => p.Name.StartsWith($"{block}.", StringComparison.Ordinal)))
            {
                then.Add(name, parameter.grad!.data<float>().ToArray());
            }
        };
        using DisposeScope scope = NewDisposeScope();
        Tensor loss = zeros(1);
        for (int i = 0; i < passes; i++)
        {
            loss = loss + Run(transformer).square().mean();
        }

        transformer.Backward(loss.sum());

        Assert.Equal(
            [
                .. Enumerable.Range(0, Config.NumSingleLayers).Reverse().Select(i => $"single_transformer_blocks.{i}"),
                .. Enumerable.Range(0, Config.NumLayers).Reverse().Select(i => $"transformer_blocks.{i}"),
            ],
            told);
        Assert.Equal(
            attached.Parameters.Where(p => p.Name.Contains("transformer_blocks.", StringComparison.Ordinal)).Select(p => p.Name).Order(StringComparer.Ordinal),
            then.Keys.Order(StringComparer.Ordinal));
        Assert.All(attached.Parameters.Where(p => then.ContainsKey(p.Name)), p => Assert.Equal(p.Parameter.grad!.data<float>().ToArray(), then[p.Name]));

        // Torch's own way back tells of none: there are gradients of all blocks at its end alone.
        told.Clear();
        transformer.WritesGradients = false;
        transformer.Backward(Run(transformer).square().mean());
        Assert.Empty(told);
    }

    [Theory]
    [MemberData(nameof(WrittenCounts))]
    public void WrittenOut_TheGradientsAreTorchs(int recomputed)
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using LoraAttachment attached = Attach(transformer, LoraOptions.AllTargets);
        (float loss, float[][] expected) = Gradients(transformer, attached);

        transformer.WritesGradients = true;
        transformer.RecomputedBlocks = recomputed;
        (float again, float[][] found) = Gradients(transformer, attached);
        // Torch has no graph of the blocks, so it was not torch that gave them.
        using (Tensor other = Run(transformer).square().mean())
        {
            other.backward();
        }
        Assert.DoesNotContain(attached.Parameters, p => p.Name.Contains("blocks", StringComparison.Ordinal) && p.Parameter.grad is not null);

        Assert.Equal(loss, again, 1e-5f * Math.Abs(loss));
        Assert.All(expected, gradient => Assert.Contains(gradient, v => v != 0));
        AssertNear(expected, found);
    }

    [Fact]
    public void WrittenOut_LayersWithoutAnAdapterAndOtherRanksAreRight()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using DisposeScope scope = NewDisposeScope();
        LoraOptions options = new()
        {
            Rank = 2,
            Targets = ["attn.to_q", "attn.to_v", "proj_out", "ff.net.2", "attn.to_add_out"],
            RankPattern = [new("attn.to_v", 3)],
            Condition = ConditionTraining.Frozen,
        };
        using LoraAttachment attached = Attach(transformer, options);
        (_, float[][] expected) = Gradients(transformer, attached);

        transformer.WritesGradients = true;

        AssertNear(expected, Gradients(transformer, attached).Values);
    }

    [Fact]
    public void WrittenOut_GradientsAddUp()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using LoraAttachment attached = Attach(transformer, LoraOptions.AllTargets);
        float[][] Twice()
        {
            using DisposeScope scope = NewDisposeScope();
            transformer.Backward(Run(transformer).square().mean());
            transformer.Backward(2 * Run(transformer).mean());
            return Taken(attached);
        }
        float[][] expected = Twice();

        transformer.WritesGradients = true;

        AssertNear(expected, Twice());
    }

    [Fact]
    public void WrittenOut_NoTensorIsLeft()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using LoraAttachment attached = Attach(transformer, LoraOptions.AllTargets);
        transformer.WritesGradients = true;
        foreach (int recomputed in new[] { 0, 1, transformer.Blocks })
        {
            transformer.RecomputedBlocks = recomputed;
            LiveTensors.AssertUnchanged(() => Gradients(transformer, attached));
            LiveTensors.AssertUnchanged(() =>
            {
                Run(transformer).Dispose();
                Gradients(transformer, attached);
            });
        }
    }

    [Fact]
    public void WhatIsNotWrittenOut_GoesThroughTorch()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        // A modulation learns, so gradients are wanted that nobody has written out.
        using LoraAttachment attached = Attach(transformer, [.. LoraOptions.AllTargets, "norm1.linear"]);
        (float loss, float[][] expected) = Gradients(transformer, attached);

        transformer.WritesGradients = true;
        (float again, float[][] found) = Gradients(transformer, attached);

        Assert.Equal(loss, again);
        AssertNear(expected, found);
    }

    [Fact]
    public void MoreBlocksThanThereAre_AreRefused()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);

        Assert.Throws<ArgumentOutOfRangeException>(() => transformer.RecomputedBlocks = transformer.Blocks + 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => transformer.RecomputedBlocks = -1);
    }

    [Fact]
    public void ABlockThatIsShown_MustKeepItsGraph()
    {
        using FluxTransformer transformer = Load(MemoryMode.Resident);
        using LoraAttachment attached = Attach(transformer, LoraOptions.AllTargets);
        transformer.RecomputedBlocks = 1;
        transformer.Show(0, _ => { });

        Assert.Contains("keep its graph", Assert.Throws<InvalidOperationException>(() => Run(transformer)).Message, StringComparison.Ordinal);
        transformer.Show(0, null);
        transformer.Show(1, _ => { });
        Run(transformer).Dispose();
    }

    private static FluxTransformer Load(MemoryMode memory)
    {
        using WeightSource weights = WeightSource.Open(Fixtures.Path("tiny-dsd", "transformer"));
        return FluxCheckpoint.Load(Config, weights, null, null, memory);
    }

    private static LoraAttachment Attach(FluxTransformer transformer, IReadOnlyList<string> targets, bool condition = true) => Attach(
        transformer,
        new LoraOptions { Rank = 2, Seed = 3, Targets = targets, Condition = condition ? ConditionTraining.Whole : ConditionTraining.Frozen });

    private static LoraAttachment Attach(FluxTransformer transformer, LoraOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        using LoraAdapter adapter = LoraAdapter.Create(transformer, options);
        using IDisposable noGrad = no_grad();
        using Generator generator = new(4, CPU);
        foreach (Tensor b in adapter.Factors.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Value.B))
        {
            b.copy_(0.1 * randn(b.shape, generator: generator));
        }
        return adapter.Attach(transformer, trainable: true);
    }

    private Tensor Run(FluxTransformer transformer) => transformer.forward(
        _io["hidden_states"], _io["condition_hidden_states"], _io["encoder_hidden_states"], _io["pooled_projections"], _io["timestep"],
        Config.GuidanceEmbeds ? _io["guidance"] : null, _io["img_ids"], _io["txt_ids"]);

    private (float Loss, float[][] Values) Gradients(FluxTransformer transformer, LoraAttachment attached)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor loss = Run(transformer).square().mean();
        transformer.Backward(loss);
        return (loss.item<float>(), Taken(attached));
    }

    private static float[][] Taken(LoraAttachment attached)
    {
        using DisposeScope scope = NewDisposeScope();
        List<float[]> all = [];
        foreach ((_, Parameter parameter) in attached.Parameters)
        {
            all.Add(parameter.grad!.data<float>().ToArray());
            parameter.grad = null;
        }
        return [.. all];
    }

    private static void AssertNear(float[][] expected, float[][] found)
    {
        float most = expected.SelectMany(g => g).Max(Math.Abs);
        Assert.All(expected.Zip(found), pair => Assert.All(pair.First.Zip(pair.Second), v => Assert.InRange(Math.Abs(v.First - v.Second), 0, 1e-5f * most)));
    }
}
