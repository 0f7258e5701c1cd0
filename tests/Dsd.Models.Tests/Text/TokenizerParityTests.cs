using System.Text.Json;
using Dsd.Models.Text;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Text;

[Trait("Category", "Parity")]
public sealed class TokenizerParityTests
{
    [Fact]
    public void ClipTokenizer_GivesTheReferenceIds() =>
        Compare("clip_ids", ClipTokenizer.Load(Fixtures.Path("tiny-flux", "tokenizer")));

    [Theory]
    [InlineData("t5_ids_64")]
    [InlineData("t5_ids_512")]
    public void T5Tokenizer_GivesTheReferenceIds(string name) =>
        Compare(name, T5Tokenizer.Load(Fixtures.Path("tiny-flux", "tokenizer_2")));

    private static void Compare(string name, ITextTokenizer tokenizer)
    {
        string[] prompts = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Fixtures.Path("prompts.json")))!;
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        Tensor ids = reference[name]; // [prompts, length]
        Assert.Equal(prompts.Length, ids.shape[0]);
        for (int i = 0; i < prompts.Length; i++)
        {
            using Tensor row = ids[i];
            Assert.Equal(row.data<long>().ToArray(), tokenizer.Encode(prompts[i], (int)ids.shape[1], out _));
        }
    }
}
