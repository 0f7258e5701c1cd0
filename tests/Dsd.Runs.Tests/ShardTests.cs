using CsCheck;

namespace Dsd.Runs.Tests;

public sealed class ShardTests
{
    private static readonly Gen<string> Key = Gen.String[Gen.OneOf(Gen.Char['a', 'z'], Gen.Char['0', '9'], Gen.Const('-')), 1, 64];

    [Fact]
    public void Shards_OfAnyCount_AreDisjointAndComplete() =>
        Gen.Select(Gen.Int[1, 200], Key.Array[1, 50]).Sample((count, keys) =>
        {
            Shard[] shards = [.. Enumerable.Range(1, count).Select(i => new Shard(i, count))];
            return keys.All(key => shards.Count(s => s.Holds(key)) == 1);
        });

    [Fact]
    public void Shards_ShareCaptionsEvenly()
    {
        string[] keys = [.. Enumerable.Range(0, 16_000).Select(i => $"c{i}")];

        int[] sizes = [.. Enumerable.Range(1, 16).Select(i => keys.Count(new Shard(i, 16).Holds))];

        // Binomial with a mean of 1000 and a deviation of 31.
        Assert.All(sizes, size => Assert.InRange(size, 850, 1150));
    }

    [Fact]
    public void Parse_ReadsWhatToStringWrites() =>
        Gen.Int[1, 100_000].SelectMany(
            count => Gen.Int[1, count].Select(index => new Shard(index, count))).Sample(shard => Shard.Parse(shard.ToString()) == shard);

    [Theory]
    [InlineData("0/2")]
    [InlineData("3/2")]
    [InlineData("1/0")]
    [InlineData("1")]
    [InlineData("1/2/3")]
    [InlineData("-1/2")]
    [InlineData(" 1/2")]
    [InlineData("1/100001")]
    [InlineData("")]
    public void Parse_OfNoShare_IsRefusedByName(string text) =>
        Assert.Contains($"'{text}'", Assert.Throws<FormatException>(() => Shard.Parse(text)).Message, StringComparison.Ordinal);
}
