using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Cache;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Training.Cache;

/// <summary>What a trainer takes from its cache, and what it makes.</summary>
public sealed class ExampleCacheTests : IDisposable
{
    // Both frames, condition and prompt of three pairs, and the empty prompt.
    private const int Entries = 10;
    private readonly TemporaryFolder _folder = new();

    private LoraTrainingOptions Options => SmallPictures.Options with { CacheFolder = _folder.File("cache") };

    [Fact]
    public void ASecondRun_CallsNoEncoder_AndGivesTheSame()
    {
        using FluxModel model = SmallPictures.Model();
        using LoraAdapter first = Train(model, new CacheCounts(0, Entries, 0));
        model.Text.Dispose();
        using LoraAdapter second = Train(model, new CacheCounts(Entries, 0, 0));
        Same(first, second);
    }

    [Fact]
    public void FromDiskOrMemory_TheAdapterIsTheSameButForRounding()
    {
        using FluxModel model = SmallPictures.Model();
        using LoraAdapter disk = Train(model, new CacheCounts(0, Entries, 0));
        using LoraAdapter memory = new LoraTrainer(model, SmallPictures.Options).Train(SmallPictures.Pairs());
        Assert.All(disk.Factors, f => TensorAssert.Close(f.Value.B, memory.Factors[f.Key].B, 3e-4));
    }

    [Fact]
    public void WhatIsMissing_IsMadeAsItWas_WhateverIsMissingWithIt()
    {
        using FluxModel model = SmallPictures.Model();
        Train(model, new CacheCounts(0, Entries, 0)).Dispose();
        Dictionary<string, byte[]> before = Files().ToDictionary(f => f, File.ReadAllBytes);
        string[] gone = [.. before.Keys.Order(StringComparer.Ordinal).Where((_, i) => i % 2 == 0)];
        Array.ForEach(gone, File.Delete);

        Train(model, new CacheCounts(Entries - gone.Length, gone.Length, 0)).Dispose();

        Assert.All(before, f => Assert.Equal(f.Value, File.ReadAllBytes(f.Key)));
    }

    [Fact]
    public void DamagedEntries_AreMadeAgain_AndCounted()
    {
        using FluxModel model = SmallPictures.Model();
        using LoraAdapter first = Train(model, new CacheCounts(0, Entries, 0));
        string[] files = [.. Files().Order(StringComparer.Ordinal)];
        File.WriteAllBytes(files[0], []);
        File.WriteAllBytes(files[1], File.ReadAllBytes(files[1])[..^1]);
        File.Copy(files[2], files[3], overwrite: true);

        using LoraAdapter second = Train(model, new CacheCounts(Entries - 3, 0, 3));
        Same(first, second);
        Train(model, new CacheCounts(Entries, 0, 0)).Dispose();
    }

    [Fact]
    public void ADifferentSizePromptLengthOrModel_FindsNothing_AndACopyAll()
    {
        using TemporaryFolder other = TemporaryFolder.CopyOf(Fixtures.Path("tiny-flux"));
        using (FluxModel model = SmallPictures.Model())
        {
            Train(model, new CacheCounts(0, Entries, 0)).Dispose();
            LoraTrainer wide = new(model, Options with { Width = 48 });
            wide.Train(SmallPictures.Pairs()).Dispose();
            Assert.Equal(new CacheCounts(4, 6, 0), wide.CacheUse);
            LoraTrainer brief = new(model, Options with { MaxTextTokens = 5 });
            brief.Train(SmallPictures.Pairs()).Dispose();
            Assert.Equal(new CacheCounts(6, 4, 0), brief.CacheUse);
        }
        using (FluxModel copy = SmallPictures.Model(other.Path))
        {
            Train(copy, new CacheCounts(Entries, 0, 0)).Dispose();
        }
        string config = other.File("vae", "config.json");
        File.WriteAllText(config, File.ReadAllText(config) + " ");
        using FluxModel changed = SmallPictures.Model(other.Path);
        Train(changed, new CacheCounts(4, 6, 0)).Dispose();
    }

    [Fact]
    public void TheIdentity_DependsOnTypeAndTextAdapters_AndUnknownModelsShareNothing()
    {
        string folder = Fixtures.Path("tiny-flux");
        ModelIdentity first = ModelIdentity.Of(ModelFolder.Open(folder), new PipelineOptions());
        Assert.Equal(first, ModelIdentity.Of(ModelFolder.Open(folder), new PipelineOptions()));
        ModelIdentity narrow = ModelIdentity.Of(ModelFolder.Open(folder), new PipelineOptions { DType = ScalarType.BFloat16 });
        Assert.NotEqual(first.Text, narrow.Text);
        Assert.NotEqual(first.Autoencoder, narrow.Autoencoder);
        Assert.NotEqual(first.Text, first.WithOtherText().Text);
        Assert.NotEqual(ModelIdentity.Unknown().Text, ModelIdentity.Unknown().Text);

        using FluxModel model = SmallPictures.Model();
        Assert.Equal(first, model.Identity);
        using LoraAdapter adapter = LoraAdapter.Create(model.Network, new LoraOptions());
        model.SetAdapters(new LoraUse(adapter));
        Assert.NotEqual(first.Text, model.Identity.Text);
        model.SetAdapters();
        Assert.Equal(first, model.Identity);
    }

    [Fact]
    public void TheIdentityOfALargeFile_ChangesWithItsHeaderAndItsNumbers()
    {
        string file = _folder.File("large.safetensors");
        byte[] bytes = new byte[6 << 20];
        new Random(1).NextBytes(bytes);
        BitConverter.TryWriteBytes(bytes, 1000L);
        File.WriteAllBytes(file, bytes);
        string before = ModelIdentity.Of([file], "");
        Assert.Equal(before, ModelIdentity.Of([file], ""));
        Assert.NotEqual(before, ModelIdentity.Of([file], "otherwise"));
        foreach (int at in new[] { 500, bytes.Length - 1, ((bytes.Length - 4096) / 64 * 20) + 7 })
        {
            bytes[at] ^= 1;
            File.WriteAllBytes(file, bytes);
            Assert.NotEqual(before, ModelIdentity.Of([file], ""));
            bytes[at] ^= 1;
        }
    }

    [Fact]
    public void AnEntryThatVanishesInTraining_EndsItWithTheFilesName()
    {
        using FluxModel model = SmallPictures.Model();
        LoraTrainer trainer = new(model, Options with { Steps = 500, BatchSize = 1 })
        {
            Encoded = () => Array.ForEach(Files(), f => File.WriteAllBytes(f, [])),
        };
        IOException e = Assert.Throws<IOException>(() => trainer.Train(SmallPictures.Pairs()));
        Assert.Contains(Files(), f => e.Message.Contains(f, StringComparison.Ordinal));
        Train(model, new CacheCounts(0, 0, Entries)).Dispose();
    }

    [Fact]
    public void PicturesOfFiles_AreDecodedOnlyWhereTheCacheHasNothing()
    {
        using FluxModel model = SmallPictures.Model();
        EncodedPair[] pairs = [.. SmallPictures.Pairs().Select((p, i) => new EncodedPair(p.Reference.EncodePng(), p.Target.EncodePng(), p.Prompt, $"row {i}"))];
        LoraTrainer trainer = new(model, Options);
        using LoraAdapter first = trainer.TrainEncoded(pairs);
        Assert.Equal(new CacheCounts(0, Entries, 0), trainer.CacheUse);
        using LoraAdapter fromMemory = new LoraTrainer(model, Options).Train(SmallPictures.Pairs());
        Same(first, fromMemory);

        using LoraAdapter second = trainer.TrainEncoded(pairs);
        Assert.Equal(new CacheCounts(Entries, 0, 0), trainer.CacheUse);
        Same(first, second);

        PairContent content = PairContent.Of(pairs[0]);
        using ExampleStore store = new(Options.CacheFolder, model.Network.Device);
        new PairEncoder(model, Options, new AspectBuckets(model, Options), store).Encode([content], CancellationToken.None);
        Assert.False(content.Reference.Decoded.IsValueCreated || content.Target.Decoded.IsValueCreated);

        EncodedPair broken = pairs[1] with { Target = pairs[1].Target[..^40] };
        Assert.Contains("row 1, target", Assert.Throws<PictureException>(() => trainer.TrainEncoded([broken])).Message, StringComparison.Ordinal);
        EncodedPair none = pairs[1] with { Reference = new byte[10] };
        Assert.Contains("row 1, reference", Assert.Throws<PictureException>(() => trainer.TrainEncoded([none])).Message, StringComparison.Ordinal);
        EncodedPair small = pairs[1] with { Target = SmallPictures.Noise(1, 8, 8).EncodePng() };
        Assert.Contains("row 1: its target is 8", Assert.Throws<ArgumentException>(() => trainer.TrainEncoded([small])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoRunsAtOnce_FillOneFolder()
    {
        LoraAdapter[] both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            using FluxModel model = SmallPictures.Model();
            return new LoraTrainer(model, Options).Train(SmallPictures.Pairs(8));
        })));
        Same(both[0], both[1]);
        Array.ForEach(both, adapter => adapter.Dispose());
        Assert.Equal(25, Files().Length);
    }

    [Fact]
    public void PastItsLimit_MemoryBecomesAScratchFolder()
    {
        using DisposeScope scope = NewDisposeScope();
        string path;
        using (ExampleStore store = new(folder: null, CPU, mostBytes: 100))
        {
            CacheKey[] keys = [.. Enumerable.Range(0, 4).Select(i => new CacheKey((ulong)i, 0, 0, 0))];
            for (int i = 0; i < keys.Length; i++)
            {
                Assert.False(store.Has(keys[i], null));
                store.Add(keys[i], [full(10, i, dtype: float32)]);
                Assert.Equal(i < 2, store.InMemory);
            }
            Assert.All(keys, k => Assert.True(store.Has(k, null)));
            Assert.Equal([0f, 1f, 2f, 3f], keys.Select(k => store.Read(k)()[0][9].item<float>()));
            Assert.Equal(new CacheCounts(0, 4, 0), store.Counts);
            path = Directory.GetDirectories(Path.GetTempPath(), "dsd-training-*").First(d => Directory.Exists(Path.Combine(d, "03")));
        }
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void NoTensorIsLeft()
    {
        using FluxModel model = SmallPictures.Model();
        LiveTensors.AssertUnchanged(() => new LoraTrainer(model, Options).Train(SmallPictures.Pairs()).Dispose());
    }

    [Fact]
    public void BadInput_IsRefused_BeforeAnythingIsEncoded()
    {
        using FluxModel model = SmallPictures.Model();
        File.WriteAllText(_folder.File("file"), "");
        LoraTrainer onFile = new(model, Options with { CacheFolder = _folder.File("file") });
        Assert.Contains(_folder.File("file"), Assert.Throws<IOException>(() => onFile.Train(Unread())).Message, StringComparison.Ordinal);
        LoraTrainer belowFile = new(model, Options with { CacheFolder = _folder.File("file", "cache") });
        Assert.Contains(_folder.File("file"), Assert.Throws<IOException>(() => belowFile.Train(Unread())).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Options with { CacheFolder = " " });

        TrainingPair[] small = [SmallPictures.Pairs()[0], new TrainingPair(SmallPictures.Noise(1), SmallPictures.Noise(2, 15, 40), "a fox")];
        ArgumentException e = Assert.Throws<ArgumentException>(() => new LoraTrainer(model, Options).Train(small));
        Assert.Contains("Pair 1, counted from 0: its target is 15 × 40 pixels", e.Message, StringComparison.Ordinal);
        Assert.Contains("no pair", Assert.Throws<ArgumentException>(() => new LoraTrainer(model, Options).Train([])).Message, StringComparison.Ordinal);

        static IEnumerable<TrainingPair> Unread()
        {
            Assert.Fail("A pair was read.");
            yield break;
        }
    }

    public void Dispose() => _folder.Dispose();

    private LoraAdapter Train(FluxModel model, CacheCounts expected)
    {
        LoraTrainer trainer = new(model, Options);
        LoraAdapter adapter = trainer.Train(SmallPictures.Pairs());
        Assert.Equal(expected, trainer.CacheUse);
        return adapter;
    }

    private string[] Files() => Directory.GetFiles(_folder.File("cache"), "*", SearchOption.AllDirectories);

    private static void Same(LoraAdapter first, LoraAdapter second) =>
        Assert.All(first.Factors, f => TensorAssert.Equal(f.Value.B, second.Factors[f.Key].B));
}
