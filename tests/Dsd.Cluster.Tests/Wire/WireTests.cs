using System.Text;
using System.Text.Json;
using Dsd.Cluster.Queue;
using Dsd.Cluster.Wire;
using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Runs.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Dsd.Cluster.Tests.Wire;

/// <summary>What crosses the wire comes out as it went in.</summary>
public sealed class WireTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer(AddTypes).BuildServiceProvider();

    [Fact]
    public void Prompts_ComeOutAsTheyWentIn()
    {
        LedgerPrompt prompt = new("k~1", "k", 1, new GridPrompt("four fox\u00e9s", GridLayout.Parse("2x2"), "fox", ["a", "b", "", "d"]), long.MaxValue);

        LedgerPrompt back = Sent(new[] { prompt })[0];

        Assert.Equal(JsonSerializer.Serialize(prompt), JsonSerializer.Serialize(back));
        Assert.Equal(prompt.Prompt.Layout, back.Prompt.Layout);
    }

    [Fact]
    public async Task Pairs_ComeOutAsTheyWentIn_DecidedAndUndecided()
    {
        Random random = new(3);
        HashSet<string> statuses = [];
        for (int i = 0; i < 50; i++)
        {
            byte[] pixels = new byte[3 * 64];
            random.NextBytes(pixels);
            Picture picture = new(8, 8, pixels);
            LedgerPair pair = new("k~0~0-1", "k~0", 0, 1, await new ByteJudge().JudgeAsync(picture, picture));

            LedgerPair back = Sent(pair);

            JsonSerializerOptions named = new() { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };
            Assert.Equal(JsonSerializer.Serialize(pair, named), JsonSerializer.Serialize(back, named));
            statuses.Add(back.Judgement.Status.ToString());
        }
        Assert.Equal(2, statuses.Count);
    }

    [Fact]
    public void Replies_ComeOutAsTheyWentIn()
    {
        LeaseReply reply = new(SampleRun.Captions(3), QueueState.Open);

        LeaseReply back = Sent(reply);

        Assert.Equal(reply.Captions, back.Captions);
        Assert.Equal(reply.State, back.State);
    }

    [Fact]
    public void ACaptionWithABadKey_IsRefusedWhereItComesOut()
    {
        // What a process sends that does not keep to the rules.
        Serializer serializer = _services.GetRequiredService<Serializer>();
        byte[] bytes = serializer.SerializeToArray(new SeedCaption("abc", "words"));
        bytes[Array.IndexOf(bytes, (byte)'b')] = (byte)'/';

        Assert.Contains("a/c", Assert.Throws<ArgumentException>(() => serializer.Deserialize<SeedCaption>(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ACaptionWithoutItsText_IsRefusedWhereItComesOut()
    {
        Serializer serializer = _services.GetRequiredService<Serializer>();
        string sent = Encoding.Latin1.GetString(serializer.SerializeToArray(new SeedCaption("abc", "words")));
        byte[] bytes = Encoding.Latin1.GetBytes(sent.Replace("\"Caption\"", "\"Another\"", StringComparison.Ordinal));

        Assert.Contains("Caption", Assert.ThrowsAny<Exception>(() => serializer.Deserialize<SeedCaption>(bytes)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _services.Dispose();

    private static void AddTypes(ISerializerBuilder builder)
    {
        builder.AddAssembly(typeof(ClusterWorker).Assembly);
        WireJson.AddTo(builder);
    }

    private T Sent<T>(T value)
        where T : notnull
    {
        Serializer serializer = _services.GetRequiredService<Serializer>();
        return serializer.Deserialize<T>(serializer.SerializeToArray(value))!;
    }
}
