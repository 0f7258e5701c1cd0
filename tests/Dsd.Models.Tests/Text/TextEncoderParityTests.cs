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

    [Theory]
    [InlineData("t5_ids_64", "t5_last_64")]
    [InlineData("t5_ids_512", "t5_last_512")]
    public void T5Encoder_GivesTheReferenceStates(string ids, string last)
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        using T5Encoder t5 = T5Encoder.Load(Fixtures.Path("tiny-flux", "text_encoder_2"));
        using IDisposable noGrad = no_grad();
        using Tensor states = t5.forward(reference[ids]);
        TensorAssert.Close(reference[last], states);
    }
}
