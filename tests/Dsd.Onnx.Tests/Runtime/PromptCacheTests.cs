using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Tests.Runtime;

public class PromptCacheTests
{
    [Fact]
    public void Find_TellsEncoderOutputLengthAndPromptApart()
    {
        PromptCache cache = new(1000);
        PromptCache.Key key = new("text_encoder", 1, 77, "a fox");
        PromptCache.Embedding value = Of(4);

        cache.Keep(key, value);

        Assert.Same(value, cache.Find(key));
        Assert.All(
            [key with { Component = "text_encoder_2" }, key with { Output = 0 }, key with { Length = 76 }, key with { Prompt = "a Fox" }],
            other => Assert.Null(cache.Find(other)));
    }

    [Fact]
    public void Keep_MakesRoom_ByWhatWasNotUsedForLongest()
    {
        PromptCache cache = new(3 * 40);
        foreach (string prompt in new[] { "a", "b", "c" })
        {
            cache.Keep(Key(prompt), Of(10));
        }
        cache.Find(Key("a"));

        cache.Keep(Key("d"), Of(15));

        Assert.Equal(100, cache.Bytes);
        Assert.Equal(["a", "d"], new[] { "a", "b", "c", "d" }.Where(p => cache.Find(Key(p)) is not null));
    }

    [Fact]
    public void Keep_LeavesWhatIsLargerThanTheWhole()
    {
        PromptCache cache = new(100);
        cache.Keep(Key("a"), Of(10));

        cache.Keep(Key("b"), Of(26));

        Assert.Equal(40, cache.Bytes);
        Assert.NotNull(cache.Find(Key("a")));
        Assert.Null(cache.Find(Key("b")));
    }

    [Fact]
    public void Keep_OfOneTwice_CountsOnce()
    {
        PromptCache cache = new(100);
        cache.Keep(Key("a"), Of(10));
        cache.Keep(Key("a"), Of(10));

        Assert.Equal(40, cache.Bytes);
    }

    private static PromptCache.Key Key(string prompt) => new("text_encoder", 0, 16, prompt);

    private static PromptCache.Embedding Of(int numbers) => new(new float[numbers], [numbers]);
}
