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

    [Fact]
    public void T5Tokenizer_GivesTheReferenceIdsOfEveryLength() =>
        Compare("t5_ids_", T5Tokenizer.Load(Fixtures.Path("tiny-flux", "tokenizer_2")));

    /// <summary>Compares with every tensor [prompts, length] whose name begins so.</summary>
    private static void Compare(string prefix, ITextTokenizer tokenizer)
    {
        string[] prompts = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Fixtures.Path("prompts.json")))!;
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        Tensor[] lengths = [.. reference.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(t => t.Value)];
        Assert.NotEmpty(lengths);
        Assert.All(lengths, ids =>
        {
            Assert.Equal(prompts.Length, ids.shape[0]);
            for (int i = 0; i < prompts.Length; i++)
            {
                using Tensor row = ids[i];
                Assert.Equal(row.data<long>().ToArray(), tokenizer.Encode(prompts[i], (int)ids.shape[1], out _));
            }
        });
    }
}
