using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Testing;

namespace Dsd.Models.Tests.Training.Cache;

public class HeldOutTests
{
    [Fact]
    public void TheirLoss_StandsInTheFirstReportAfterEachMultiple_AndInTheLast()
    {
        using FluxModel model = SmallPictures.Model();
        List<TrainingProgress> seen = [];
        LoraTrainingOptions options = SmallPictures.Options with { Steps = 11, ReportEvery = 2, ValidateEvery = 5 };
        LoraTrainer trainer = new(model, options) { HeldOut = SmallPictures.Pairs(5)[3..] };
        using LoraAdapter adapter = trainer.Train(SmallPictures.Pairs(), new Reports(seen.Add));

        Assert.Equal([6, 10, 11], seen.Where(p => p.ValidationLoss is not null).Select(p => p.Step));
        Assert.Equal([2, 4, 6, 8, 10, 11], seen.Select(p => p.Step));
        // The last one is what the finished adapter gives. One that is in memory lies over the same model.
        model.SetAdapters(new LoraUse(adapter));
        Assert.Equal(seen[^1].ValidationLoss!.Value, new LoraTrainer(model, options).ValidationLoss(SmallPictures.Pairs(5)[3..]), 1e-4f);
    }

    [Fact]
    public void ALook_ChangesNothing()
    {
        using FluxModel model = SmallPictures.Model();
        LoraTrainingOptions options = SmallPictures.Options with { ReportEvery = 1, ValidateEvery = 1 };
        using LoraAdapter without = new LoraTrainer(model, options).Train(SmallPictures.Pairs(), new Reports(_ => { }));
        using LoraAdapter with = new LoraTrainer(model, options) { HeldOut = SmallPictures.Pairs(5)[3..] }
            .Train(SmallPictures.Pairs(), new Reports(_ => { }));
        Assert.All(without.Factors, f => TensorAssert.Equal(f.Value.B, with.Factors[f.Key].B));
    }

    [Fact]
    public void TheLoss_IsTheSameEachTime_AndTheMeanOverPairs_WhateverTheBatch()
    {
        using TemporaryFolder folder = new();
        using FluxModel model = SmallPictures.Model();
        TrainingPair[] pairs = SmallPictures.Pairs(3);
        float all = new LoraTrainer(model, SmallPictures.Options).ValidationLoss(pairs);

        Assert.True(float.IsFinite(all) && all > 0);
        Assert.Equal(all, new LoraTrainer(model, SmallPictures.Options).ValidationLoss(pairs));
        Assert.Equal(all, new LoraTrainer(model, SmallPictures.Options with { BatchSize = 3 }).ValidationLoss(pairs), 1e-5f);
        LoraTrainer fromDisk = new(model, SmallPictures.Options with { CacheFolder = folder.File("cache") });
        Assert.Equal(all, fromDisk.ValidationLoss(pairs), 1e-5f);
        Assert.NotEqual(all, new LoraTrainer(model, SmallPictures.Options with { Seed = 4 }).ValidationLoss(pairs));
    }

    [Fact]
    public void NoTensorIsLeft_AndNoPairIsRefused()
    {
        using FluxModel model = SmallPictures.Model();
        LoraTrainer trainer = new(model, SmallPictures.Options);
        LiveTensors.AssertUnchanged(() => trainer.ValidationLoss(SmallPictures.Pairs(2)));
        Assert.Contains("no pair", Assert.Throws<ArgumentException>(() => trainer.ValidationLoss([])).Message, StringComparison.Ordinal);
    }
}
