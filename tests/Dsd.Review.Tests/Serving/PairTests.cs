using System.Net;
using System.Text.Json;
using Dsd.Imaging;

namespace Dsd.Review.Tests.Serving;

/// <summary>A pair as the page gets it: texts and panels.</summary>
public sealed class PairTests : ReviewServerTest
{
    [Fact]
    public async Task Pair_HoldsCaptionsVerdictAndVotes()
    {
        JsonElement pair = (await PageAsync("", 3, 1))[0];

        Assert.Equal("subject 3 at the sea", pair.GetProperty("first").GetProperty("caption").GetString());
        Assert.Equal("left", pair.GetProperty("first").GetProperty("place").GetString());
        Assert.Equal(0.9, pair.GetProperty("confidence").GetDouble());
        Assert.Equal("blue", pair.GetProperty("verdict").GetProperty("description_b").GetString());
        Assert.Equal("mild", pair.GetProperty("votes")[0].GetProperty("judge").GetString());
        Assert.Equal(JsonValueKind.Null, (await PageAsync("", 2, 1))[0].GetProperty("confidence").ValueKind);
    }

    [Fact]
    public async Task Panels_AreCutAsTheRunCutThem()
    {
        JsonElement pair = (await PageAsync("", 0, 1))[0];
        HttpResponseMessage first = await Http.GetAsync(pair.GetProperty("first").GetProperty("source").GetString());
        Picture second = Picture.Decode(await Http.GetByteArrayAsync(pair.GetProperty("second").GetProperty("source").GetString()), "second");

        Assert.Equal("image/png", first.Content.Headers.ContentType!.MediaType);
        // The gutter's blurred edge goes with the gutter.
        Assert.InRange(second.Width, TestRun.PanelWidth - 1, TestRun.PanelWidth);
        Assert.Equal(TestRun.PanelHeight, second.Height);
        Assert.Equal(220, second.Pixels[2]);
        Assert.Equal(220, Picture.Decode(await first.Content.ReadAsByteArrayAsync(), "first").Pixels[0]);
    }

    [Theory]
    [InlineData("panels/p000~0/2")]
    [InlineData("panels/nothing/0")]
    [InlineData("panels/..%2F..%2Fledger.db/0")]
    [InlineData("panels/%2Fetc%2Fpasswd/0")]
    [InlineData("nothing")]
    public async Task Panel_ThatIsNone_IsNotFound(string path) => Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync(path)).StatusCode);

    [Fact]
    public async Task Panel_OfADamagedGrid_IsNotFound_AndIsServedAgainWhenTheGridIsBack()
    {
        string file = Directory.EnumerateFiles(Path.Combine(Run.Folder, "grids"), "p004~0.*", SearchOption.AllDirectories).Single();
        byte[] whole = await File.ReadAllBytesAsync(file);
        await File.WriteAllBytesAsync(file, whole[..^20]);
        Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync("panels/p004~0/0")).StatusCode);

        await File.WriteAllBytesAsync(file, whole);
        Assert.Equal(HttpStatusCode.OK, (await Http.GetAsync("panels/p004~0/0")).StatusCode);
    }
}
