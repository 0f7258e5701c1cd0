using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Tests.Flux;
using Dsd.Models.Training.Planning;

namespace Dsd.Models.Tests.Training.Planning;

public sealed class TrainingPlannerTests
{
    private const long Gib = 1L << 30;

    private static readonly FluxConfig Dev = FluxConfig.Dev with { Conditional = true };

    [Fact]
    public void TheLoad_IsThatOfTheNetworksParameters()
    {
        using FluxTransformer transformer = new(FluxFixture.Tiny);
        TrainingLoad load = FluxTraining.Load(FluxFixture.Tiny);

        long large = transformer.Doubles.Concat<FluxBlock>(transformer.Singles).Sum(b => b.Large.SelectMany(l => l).Sum(l => l.Weight.numel()));
        long modulations = transformer.named_parameters().Where(p => p.name.Contains("blocks") && p.name.EndsWith("linear.weight"))
            .Sum(p => p.parameter.numel());
        long ends = transformer.named_parameters().Where(p => !p.name.Contains("blocks") && p.name.EndsWith("weight")).Sum(p => p.parameter.numel());

        Assert.Equal((large, modulations), (load.BlockWeights, load.ModulationWeights));
        Assert.Equal(ends, load.EndWeights);
        Assert.Equal(transformer.Blocks, load.Blocks);
    }

    /// <summary>11.9 billion weights (FLUX.1-dev's model card says 12 billion), of which the condition embedder is a fifth of a million.</summary>
    [Fact]
    public void FluxDev_HasTwelveBillionWeights()
    {
        TrainingLoad load = FluxTraining.Load(Dev);

        Assert.InRange(load.BlockWeights + load.ModulationWeights + load.EndWeights, 11.85e9, 11.95e9);
    }

    [Fact]
    public void EachSetting_TakesLessThanTheOneBefore()
    {
        TrainingPlan[] plans = [.. TrainingSetting.All.Select(s => Plan(s))];

        Assert.All(plans.Zip(plans.Skip(1)), p => Assert.True(p.First.MemoryBytes > p.Second.MemoryBytes));
    }

    [Theory]
    [InlineData(80, "whole")]
    [InlineData(36, "recomputed")]
    [InlineData(25, "float8")]
    [InlineData(17, "float8-streamed")]
    public void TheFastestThatFits_IsChosen(int gib, string expected) => Assert.Equal(expected, TrainingPlanner.Choose(s => Plan(s), gib * Gib).Setting.Name);

    [Fact]
    public void WhereNoneFits_TheMessageSaysWhichWouldAndHowMuchIsMissing()
    {
        string message = Assert.Throws<InvalidOperationException>(() => TrainingPlanner.Choose(s => Plan(s), 4 * Gib)).Message;

        Assert.Contains("No setting fits 4.0 GiB", message, StringComparison.Ordinal);
        Assert.Contains("float8-streamed", message, StringComparison.Ordinal);
        Assert.Contains("GiB are missing", message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALowerRankFewerTokensAndASmallerBatch_TakeLess()
    {
        long full = Plan(TrainingSetting.Recomputed).MemoryBytes;

        Assert.True(Plan(TrainingSetting.Recomputed, parameters: 1_000_000).MemoryBytes < full);
        Assert.True(Plan(TrainingSetting.Recomputed, image: 1024).MemoryBytes < full);
        Assert.True(Plan(TrainingSetting.Recomputed, batch: 2).MemoryBytes > full);
    }

    /// <summary>What <c>dsd bench train --size dev</c> measured on an H100: docs/training.md.</summary>
    [Theory]
    [InlineData("whole", "all", 128, 1, 41.34)]
    [InlineData("recomputed", "all", 128, 1, 31.76)]
    [InlineData("float8", "all", 128, 1, 18.33)]
    [InlineData("float8-streamed", "all", 128, 1, 10.88)]
    [InlineData("float8-streamed", "attention", 32, 1, 8.11)]
    [InlineData("float8", "all", 64, 2, 18.87)]
    [InlineData("recomputed", "all", 16, 3, 29.17)]
    public void Memory_IsWithinATenthOfWhatWasMeasured(string name, string targets, int rank, int batch, double gib)
    {
        TrainingSetting setting = TrainingSetting.All.Single(s => s.Name == name);
        TrainingLoad load = FluxTraining.Load(Dev);
        long parameters = LoraLayers.CountNumbers(load.Layers, LoraOptions.Preset(targets) with { Rank = rank }, load.AdapterTargets);

        double predicted = (double)Plan(setting, parameters, batch: batch).MemoryBytes / Gib;

        Assert.True(Math.Abs(predicted / gib - 1) < 0.1, $"predicted {predicted:0.00}, measured {gib}");
    }

    [Fact]
    public void GraphsOfTorch_TakeMore()
    {
        (TrainingPlan written, TrainingPlan graphs) = (Plan(TrainingSetting.Whole), Plan(TrainingSetting.Whole, written: false));

        Assert.True(graphs.MemoryBytes > written.MemoryBytes);
    }

    [Theory]
    [InlineData("single_transformer_blocks.0.attn.to_q", true)]
    [InlineData("transformer_blocks.1.norm1_context.linear", false)]
    [InlineData("single_transformer_blocks.3.norm.linear", false)]
    [InlineData("time_text_embed.text_embedder.linear_1", false)]
    [InlineData("norm_out.linear", true)]
    [InlineData("c_embedder", true)]
    public void WhatModulatesTheBlocks_KeepsGraphs(string layer, bool expected) => Assert.Equal(expected, FluxTraining.Load(Dev).KeepsNoGraph(layer));

    private static TrainingPlan Plan(TrainingSetting setting, long parameters = 524_000_000, long image = 2048, int batch = 1, bool written = true) =>
        TrainingPlanner.Plan(
            FluxTraining.Load(Dev), setting, parameters, setting.Float8 ? 2.02 : 8, image, 512, batch, written: written);
}
