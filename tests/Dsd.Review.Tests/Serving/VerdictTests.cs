using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Dsd.Review.Tests.Serving;

/// <summary>Verdicts of a person: their form, and how they get into the ledger.</summary>
public sealed class VerdictTests : ReviewServerTest
{
    [Theory]
    [InlineData("text/plain", """{"id":"p000~0~0-1","kept":true}""", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json", """{"id":"p000~0~0-1","kept":"yes"}""", HttpStatusCode.BadRequest)]
    [InlineData("application/json", """{"id":"p000~0~0-1"}""", HttpStatusCode.BadRequest)]
    [InlineData("application/json", """{"id":"p000~0~0-1","kept":true,"at":"now"}""", HttpStatusCode.BadRequest)]
    [InlineData("application/json", """{"id":"p000~""", HttpStatusCode.BadRequest)]
    [InlineData("application/json", """{"id":"no such pair","kept":true}""", HttpStatusCode.NotFound)]
    public async Task Verdict_ThatIsNone_IsRefused(string type, string body, HttpStatusCode status)
    {
        HttpResponseMessage answer = await Http.PostAsync("api/verdicts", new StringContent(body, Encoding.UTF8, type));

        Assert.Equal(status, answer.StatusCode);
        Assert.NotEmpty((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString()!);
        Assert.Null(await Run.ReviewOfAsync(0));
    }

    [Fact]
    public async Task Verdict_LongerThanAnyIs_IsRefused()
    {
        string body = $$"""{"id":"{{new string('x', 5000)}}","kept":true}""";
        HttpResponseMessage answer = await Http.PostAsync("api/verdicts", new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task Verdict_IsInTheLedgerWhenItIsAnswered_AndCanBeChangedAndTakenBack()
    {
        JsonElement summary = await VerdictAsync(0, false);
        Assert.False(await Run.ReviewOfAsync(0));
        Assert.Equal(1, summary.GetProperty("reviewed").GetInt32());
        Assert.False((await PageAsync("", 0, 1))[0].GetProperty("reviewed").GetBoolean());

        await VerdictAsync(0, true);
        Assert.True(await Run.ReviewOfAsync(0));

        summary = await VerdictAsync(0, null);
        Assert.Null(await Run.ReviewOfAsync(0));
        Assert.Equal(0, summary.GetProperty("reviewed").GetInt32());
    }

    [Theory]
    [InlineData("""{"id":"\ud800","kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1\udc00","kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"\ud800":"p000~0~0-1","kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1\u0000","kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1","id":"p000~0~0-1"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":["p000~0~0-1"],"kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1","kept":1}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1","kept":true} x""", HttpStatusCode.BadRequest)]
    [InlineData("""[""", HttpStatusCode.BadRequest)]
    [InlineData("", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"","kept":true}""", HttpStatusCode.NotFound)]
    [InlineData("""{"id":"%","kept":true}""", HttpStatusCode.NotFound)]
    public async Task Verdict_OfAnotherForm_IsRefused_AndNothingIsWritten(string body, HttpStatusCode status)
    {
        HttpResponseMessage answer = await Http.PostAsync("api/verdicts", new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.Equal(status, answer.StatusCode);
        Assert.Null(await Run.ReviewOfAsync(0));
    }

    [Fact]
    public async Task Summary_SaysHowFarTheJudgeIsRight_AndOnlyWhatCanBeKnown()
    {
        JsonElement one = await VerdictAsync(0, true);
        Assert.Equal("keptOnly", one.GetProperty("side").GetString());
        Assert.Equal(1, one.GetProperty("precision").GetProperty("value").GetDouble());
        Assert.Equal(JsonValueKind.Null, one.GetProperty("recall").GetProperty("value").ValueKind);

        await VerdictAsync(3, false);
        JsonElement both = await VerdictAsync(1, true);
        Assert.Equal(0.5, both.GetProperty("precision").GetProperty("value").GetDouble());
        Assert.Equal(0.5, both.GetProperty("recall").GetProperty("value").GetDouble());
    }
}
