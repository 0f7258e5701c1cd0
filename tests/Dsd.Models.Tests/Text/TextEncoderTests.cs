using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Text;

public sealed class TextEncoderTests : IDisposable
{
    private static readonly ClipTextConfig Clip = new()
    {
        VocabSize = 20,
        HiddenSize = 8,
        IntermediateSize = 16,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        MaxPositionEmbeddings = 6,
        EosTokenId = 19,
    };

    private static readonly T5Config T5 = new() { VocabSize = 20, DModel = 8, DKv = 4, DFf = 12, NumLayers = 2, NumHeads = 3, FeedForwardProj = "gated-gelu" };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ClipTextModel_IsTheSameForTheSameSeed()
    {
        using ClipTextModel one = new(Clip, seed: 3);
        using ClipTextModel other = new(Clip, seed: 3);
        using DisposeScope scope = NewDisposeScope();
        Tensor ids = Ids(0, 5, 19, 19);
        TensorAssert.Equal(one.forward(ids).Last, other.forward(ids).Last);
    }

    [Fact]
    public void ClipTextModel_SeesOnlyTheTokensBefore()
    {
        using ClipTextModel clip = new(Clip);
        using DisposeScope scope = NewDisposeScope();
        Tensor one = clip.forward(Ids(0, 5, 6, 19)).Last.narrow(1, 0, 2);
        Tensor other = clip.forward(Ids(0, 5, 7, 8)).Last.narrow(1, 0, 2);
        TensorAssert.Close(one, other, 1e-6);
    }

    [Fact]
    public void ClipTextModel_PoolsAtTheFirstEndOfText()
    {
        using ClipTextModel clip = new(Clip);
        using DisposeScope scope = NewDisposeScope();
        (Tensor last, Tensor pooled) = clip.forward(Ids(0, 19, 3, 19));
        TensorAssert.Equal(last.select(1, 1), pooled);
    }

    [Fact]
    public void ClipTextModel_PoolsAtTheLargestIdWhereTheConfigHasTheLegacyEndOfText()
    {
        using ClipTextModel clip = new(Clip with { EosTokenId = 2 });
        using DisposeScope scope = NewDisposeScope();
        (Tensor last, Tensor pooled) = clip.forward(Ids(0, 2, 18, 5));
        TensorAssert.Equal(last.select(1, 2), pooled);
    }

    [Theory]
    [InlineData("quick_gelu")]
    [InlineData("gelu")]
    public void ClipTextModel_LearnsInEveryParameter(string activation)
    {
        using ClipTextModel clip = new(Clip with { HiddenAct = activation });
        using DisposeScope scope = NewDisposeScope();
        clip.forward(Ids(0, 5, 6, 19)).Last.square().sum().backward();
        AssertGradients(clip);
    }

    [Theory]
    [InlineData("gated-gelu")]
    [InlineData("relu")]
    public void T5Encoder_LearnsInEveryParameter(string form)
    {
        using T5Encoder t5 = new(T5 with { FeedForwardProj = form });
        using DisposeScope scope = NewDisposeScope();
        t5.forward(Ids(0, 5, 6, 19)).pow(3).sum().backward();
        AssertGradients(t5);
    }

    [Fact]
    public void T5Encoder_StartsWithStatesOfOrderOne()
    {
        using T5Encoder t5 = new(T5);
        using DisposeScope scope = NewDisposeScope();
        Assert.InRange(t5.forward(Ids(0, 5, 6, 19)).square().mean().item<float>(), 0.9f, 1.1f);
    }

    [Fact]
    public void T5Encoder_RefusesFloat16() =>
        Assert.Contains("bfloat16", Assert.Throws<ArgumentException>(() => new T5Encoder(T5, dtype: ScalarType.Float16)).Message, StringComparison.Ordinal);

    [Fact]
    public void T5Encoder_RunsInBfloat16()
    {
        using T5Encoder t5 = new(T5, dtype: ScalarType.BFloat16);
        using Tensor states = t5.forward(Ids(1, 2, 3));
        Assert.Equal(ScalarType.BFloat16, states.dtype);
    }

    [Fact]
    public void Forward_RefusesIdsBeyondTheVocabulary()
    {
        using T5Encoder t5 = new(T5);
        Assert.Contains("between 0 and 19", Assert.Throws<ArgumentException>(() => t5.forward(Ids(1, 20))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_RefusesMoreTokensThanPositions()
    {
        using ClipTextModel clip = new(Clip);
        Assert.Contains("1 to 6 tokens", Assert.Throws<ArgumentException>(() => clip.forward(Ids(1, 1, 1, 1, 1, 1, 1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ClipTextModel_LeavesNoTensorBehind()
    {
        using ClipTextModel clip = new(Clip);
        using Tensor ids = Ids(0, 5, 19, 19);
        using IDisposable noGrad = no_grad();
        LiveTensors.AssertUnchanged(() =>
        {
            (Tensor last, Tensor pooled) = clip.forward(ids);
            last.Dispose();
            pooled.Dispose();
        });
    }

    [Fact]
    public void T5Encoder_LeavesNoTensorBehind()
    {
        using T5Encoder t5 = new(T5);
        using Tensor ids = Ids(0, 5, 19, 19);
        using IDisposable noGrad = no_grad();
        LiveTensors.AssertUnchanged(() => t5.forward(ids).Dispose());
    }

    [Theory]
    [InlineData("text_model.")]
    [InlineData("")]
    public void ClipTextModel_LoadsBothFormsOfKeys(string prefix)
    {
        using ClipTextModel clip = new(Clip);
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Save(clip, (name, tensor) => [(prefix + name, tensor)], ($"{prefix}embeddings.position_ids", arange(6)));
        using ClipTextModel loaded = ClipTextModel.Load(Clip, source);
        Tensor ids = Ids(0, 5, 19, 19);
        TensorAssert.Equal(clip.forward(ids).Pooled, loaded.forward(ids).Pooled);
    }

    [Theory]
    [InlineData("shared.weight")]
    [InlineData("encoder.embed_tokens.weight")]
    [InlineData("shared.weight", "encoder.embed_tokens.weight")]
    public void T5Encoder_LoadsItsTableByEitherName(params string[] names)
    {
        using T5Encoder t5 = new(T5);
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Save(t5, (name, tensor) => name == "shared.weight" ? names.Select(n => (n, tensor)) : [(name, tensor)]);
        using T5Encoder loaded = T5Encoder.Load(T5, source);
        TensorAssert.Equal(t5.forward(Ids(1, 2, 3)), loaded.forward(Ids(1, 2, 3)));
    }

    [Fact]
    public void Load_RefusesAVocabularyThatContradictsTheEmbedding()
    {
        using ClipTextModel clip = new(Clip);
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Save(clip, (name, tensor) => [(name, tensor)]);
        WeightsException e = Assert.Throws<WeightsException>(() => ClipTextModel.Load(Clip with { VocabSize = 9_000_000 }, source));
        Assert.Contains(
            "expected tensor 'embeddings.token_embedding.weight' as [9000000, 8] (vocab_size, hidden_size), found F32 [20, 8]", e.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RefusesMoreLayersThanTheFileHas()
    {
        using T5Encoder t5 = new(T5);
        using DisposeScope scope = NewDisposeScope();
        using WeightSource source = Save(t5, (name, tensor) => [(name, tensor)]);
        Assert.Contains(
            "encoder.block.6.layer.0",
            Assert.Throws<WeightsException>(() => T5Encoder.Load(T5 with { NumLayers = 7 }, source)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Buckets_AreTheReferencesOwn()
    {
        // From the published formula with 8 classes and a distance of 20, worked out by hand for the first row and column.
        using Tensor buckets = Models.Text.T5Distance.Buckets(12, 8, 20);
        Assert.Equal([0, 5, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7], buckets[0].data<long>().ToArray());
        Assert.Equal([0, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3], buckets[TensorIndex.Colon, 0].contiguous().data<long>().ToArray());
    }

    private static Tensor Ids(params long[] ids) => tensor(ids).unsqueeze(0);

    private static void AssertGradients(nn.Module module)
    {
        foreach ((string name, Parameter parameter) in module.named_parameters())
        {
            Assert.True(parameter.grad is { } gradient && gradient.abs().sum().item<float>() > 0, name);
        }
    }

    private WeightSource Save(
        nn.Module module, Func<string, Tensor, IEnumerable<(string Name, Tensor Tensor)>> entries, params (string Name, Tensor Tensor)[] more)
    {
        string path = _folder.File("model.safetensors");
        SafetensorsWriter.Write(
            path, module.state_dict().SelectMany(p => entries(p.Key, p.Value)).Concat(more).Select(e => KeyValuePair.Create(e.Name, e.Tensor)));
        return WeightSource.Open(path);
    }
}
