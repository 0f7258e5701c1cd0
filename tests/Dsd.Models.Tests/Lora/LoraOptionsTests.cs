using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Testing;

namespace Dsd.Models.Tests.Lora;

public class LoraOptionsTests
{
    [Theory]
    [InlineData("attn.to_q", "transformer_blocks.3.attn.to_q", true)]
    [InlineData("attn.to_q", "transformer_blocks.3.xattn.to_q", false)]
    [InlineData("transformer_blocks.*.to_q", "transformer_blocks.3.attn.to_q", true)]
    [InlineData("transformer_blocks.*.to_q", "single_transformer_blocks.3.attn.to_q", false)]
    [InlineData("*blocks.?.attn.to_q", "single_transformer_blocks.3.attn.to_q", true)]
    [InlineData("*blocks.?.attn.to_q", "single_transformer_blocks.13.attn.to_q", false)]
    [InlineData(@"/transformer_blocks\.[0-2]\.attn\..*/", "transformer_blocks.1.attn.to_k", true)]
    [InlineData(@"/transformer_blocks\.[0-2]\.attn\..*/", "transformer_blocks.3.attn.to_k", false)]
    public void Pattern_MatchesAsItSays(string pattern, string name, bool expected) =>
        Assert.Equal(expected, LayerPattern.Parse(pattern, "Targets").Matches(name));

    [Theory]
    [InlineData("attn.to_q$")]
    [InlineData("/attn[/")]
    [InlineData("a b")]
    public void Targets_RefuseWhatIsNoPattern(string pattern)
    {
        Assert.Contains("Targets", Assert.Throws<ArgumentException>(() => new LoraOptions { Targets = [pattern] }).Message);
        Assert.Contains("RankPattern", Assert.Throws<ArgumentException>(() => new LoraOptions { RankPattern = [new(pattern, 4)] }).Message);
    }

    [Fact]
    public void Patterns_RefuseNumbersThatAreNone()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LoraOptions { RankPattern = [new("attn.to_q", 2.5)] });
        Assert.Throws<ArgumentOutOfRangeException>(() => new LoraOptions { RankPattern = [new("attn.to_q", 0)] });
        Assert.Throws<ArgumentOutOfRangeException>(() => new LoraOptions { AlphaPattern = [new("attn.to_q", double.NaN)] });
    }

    [Fact]
    public void Preset_KnowsTwoNames()
    {
        Assert.Same(LoraOptions.AttentionTargets, LoraOptions.Preset("attention").Targets is { } t && t.SequenceEqual(LoraOptions.AttentionTargets)
            ? LoraOptions.AttentionTargets : null);
        Assert.Equal(LoraOptions.AllTargets, LoraOptions.Preset("all").Targets);
        Assert.Contains("attention or all", Assert.Throws<ArgumentException>(() => LoraOptions.Preset("some")).Message);
    }

    [Fact]
    public void Create_TakesRankAndAlphaOfTheFirstPattern_AndTheFileTellsThem()
    {
        using TemporaryFolder folder = new();
        using FluxModel model = Model();
        using LoraAdapter adapter = LoraAdapter.Create(model.Transformer, new LoraOptions
        {
            Rank = 2,
            RankPattern = [new("transformer_blocks.0.attn.to_q", 5), new("attn.to_q", 3)],
            AlphaPattern = [new("*attn.to_k", 8)],
        });
        adapter.Save(folder.File("lora.safetensors"));
        using LoraAdapter read = LoraAdapter.Load(folder.File("lora.safetensors"));
        foreach (LoraAdapter one in new[] { adapter, read })
        {
            Assert.Equal((5, 5f), (one.Factors["transformer_blocks.0.attn.to_q"].Rank, one.Factors["transformer_blocks.0.attn.to_q"].Alpha));
            Assert.Equal((3, 3f), (one.Factors["single_transformer_blocks.0.attn.to_q"].Rank, one.Factors["single_transformer_blocks.0.attn.to_q"].Alpha));
            Assert.Equal((2, 8f), (one.Factors["transformer_blocks.0.attn.to_k"].Rank, one.Factors["transformer_blocks.0.attn.to_k"].Alpha));
            Assert.Equal((2, 2f), (one.Factors["transformer_blocks.0.attn.to_v"].Rank, one.Factors["transformer_blocks.0.attn.to_v"].Alpha));
        }
    }

    [Fact]
    public void Create_RefusesAPatternThatDecidesNothing()
    {
        using FluxModel model = Model();
        LoraOptions shadowed = new() { Targets = ["attn.to_q"], RankPattern = [new("attn.to_q", 3), new("transformer_blocks.0.attn.to_q", 5)] };
        Assert.Contains("transformer_blocks.0.attn.to_q", Assert.Throws<ArgumentException>(() => LoraAdapter.Create(model.Transformer, shadowed)).Message);
        LoraOptions foreign = new() { Targets = ["attn.to_q"], AlphaPattern = [new("attn.to_k", 3)] };
        Assert.Contains("AlphaPattern", Assert.Throws<ArgumentException>(() => LoraAdapter.Create(model.Transformer, foreign)).Message);
        LoraOptions none = new() { Targets = ["transformer_blocks.99.*"] };
        Assert.Contains("transformer_blocks.99.*", Assert.Throws<ArgumentException>(() => LoraAdapter.Create(model.Transformer, none)).Message);
    }

    [Fact]
    public void Create_TreatsTheConditionAsAsked()
    {
        using FluxModel model = Model();
        (int factors, bool whole, bool condition) Of(ConditionTraining training)
        {
            using LoraAdapter adapter = LoraAdapter.Create(model.Transformer, new LoraOptions { Targets = ["*"], Rank = 1, Condition = training });
            return (adapter.Factors.Keys.Count(k => k == "c_embedder"), adapter.Whole.Count > 0, adapter.HasCondition);
        }
        Assert.Equal((0, true, true), Of(ConditionTraining.Whole));
        Assert.Equal((0, false, false), Of(ConditionTraining.Frozen));
        Assert.Equal((1, false, true), Of(ConditionTraining.Lora));
        Assert.Throws<ArgumentException>(() => LoraAdapter.Create(model.Transformer, new LoraOptions { Targets = ["c_embedder"] }));
    }

    private static FluxModel Model() => (FluxModel)Dsd.Models.Families.DiffusionModel.LoadConditional(Fixtures.Path("tiny-flux"));
}
