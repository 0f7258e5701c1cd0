using Dsd.Models.Text;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Text;

[Trait("Category", "Parity")]
public sealed class TextEncoderParityTests
{
    [Fact]
    public void ClipTextModel_GivesTheReferenceStates()
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        using ClipTextModel clip = ClipTextModel.Load(Fixtures.Path("tiny-flux", "text_encoder"));
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        (Tensor last, Tensor pooled) = clip.forward(reference["clip_ids"]);
        TensorAssert.Close(reference["clip_last"], last);
        TensorAssert.Close(reference["clip_pooled"], pooled);
    }

    [Fact]
    public void T5Encoder_GivesTheReferenceStatesOfEveryLength()
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        using T5Encoder t5 = T5Encoder.Load(Fixtures.Path("tiny-flux", "text_encoder_2"));
        using IDisposable noGrad = no_grad();
        string[] lengths = [.. reference.Keys.Where(k => k.StartsWith("t5_ids_", StringComparison.Ordinal)).Select(k => k["t5_ids_".Length..])];
        Assert.NotEmpty(lengths);
        Assert.All(lengths, length =>
        {
            using Tensor states = t5.forward(reference[$"t5_ids_{length}"]);
            TensorAssert.Close(reference[$"t5_last_{length}"], states);
        });
    }
}
