using System.Net;

namespace Dsd.Review.Tests.Serving;

/// <summary>Lists of pairs and their filters.</summary>
public sealed class ListTests : ReviewServerTest
{
    [Fact]
    public async Task List_IsGivenInParts_EachPairOnceAndInOrder()
    {
        (long list, int count) = await ListAsync("");
        List<string> ids = [];
        for (int from = 0; from < count; from += 7)
        {
            ids.AddRange((await PartAsync(list, from, 7)).EnumerateArray().Select(p => p.GetProperty("id").GetString()!));
        }

        Assert.Equal(Enumerable.Range(0, 30).Select(TestRun.IdOf), ids);
    }

    [Fact]
    public async Task List_StaysAsItWasMade_WhenVerdictsAreGiven()
    {
        (long list, int count) = await ListAsync("review=unreviewed");
        await VerdictAsync(0, true);
        await VerdictAsync(1, true);

        Assert.Equal(30, count);
        Assert.Equal(TestRun.IdOf(2), (await PartAsync(list, 2, 1))[0].GetProperty("id").GetString());
        Assert.Equal(28, (await ListAsync("review=unreviewed")).Count);
    }

    [Fact]
    public async Task List_ThatIsForgotten_IsTold()
    {
        (long list, _) = await ListAsync("");
        for (int i = 0; i < 8; i++)
        {
            await ListAsync("");
        }

        Assert.Equal(HttpStatusCode.Gone, (await Http.GetAsync($"api/lists/{list}?from=0&count=5")).StatusCode);
    }

    [Theory]
    [InlineData("outcome=kept", 10)]
    [InlineData("outcome=rejected", 10)]
    [InlineData("outcome=undecided", 10)]
    [InlineData("review=reviewed", 3)]
    [InlineData("review=unreviewed", 27)]
    [InlineData("review=kept", 2)]
    [InlineData("review=rejected", 1)]
    [InlineData("review=disagreeing", 2)]
    [InlineData("least=0.3&most=0.5", 10)]
    [InlineData("least=0.31", 10)]
    [InlineData("flag=text", 10)]
    [InlineData("flag=tex", 0)]
    [InlineData("judge=stern", 20)]
    [InlineData("judge=stern&outcome=rejected&review=kept", 1)]
    [InlineData("text=THE%20SIZE", 9)]
    [InlineData("text=SUBJECT%2012%20in", 1)]
    [InlineData("text=gr%C3%96%C3%9Fe", 30)]
    [InlineData("text=description_a", 0)]
    [InlineData("text=%25", 0)]
    public async Task List_HoldsThePairsThatPassItsFilters(string query, int expected)
    {
        await Run.ReviewAsync((0, true), (1, true), (3, false));

        Assert.Equal(expected, (await ListAsync(query)).Count);
    }

    [Theory]
    [InlineData("outcome=good")]
    [InlineData("outcome=1")]
    [InlineData("outcome=kept,rejected")]
    [InlineData("outcome=kept&outcome=rejected")]
    [InlineData("outcome=%20kept")]
    [InlineData("review=kept,reviewed")]
    [InlineData("outcom=kept")]
    [InlineData("text=a&text=b")]
    [InlineData("text=%00")]
    [InlineData("text=a%00b")]
    [InlineData("flag=%00")]
    [InlineData("judge=stern%00")]
    [InlineData("text=%FF")]
    [InlineData("text=%ED%A0%80")]
    [InlineData("least=1e-3")]
    [InlineData("least=0,3")]
    [InlineData("least=2")]
    [InlineData("most=NaN")]
    [InlineData("text=LONG")]
    public async Task List_WithAFilterThatIsNone_IsRefused(string query)
    {
        HttpResponseMessage answer = await Http.GetAsync("api/lists?" + query.Replace("LONG", new string('x', 201), StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("api/lists/1?from=0")]
    [InlineData("api/lists/1?from=0&count=1&count=2")]
    [InlineData("api/lists/1?from=0&count=101")]
    [InlineData("api/lists/1?from=-1&count=1")]
    [InlineData("api/lists/1?from=0&count=1&more=1")]
    [InlineData("api/summary?of=all")]
    [InlineData("panels/p000~0/0?small=0")]
    [InlineData("panels/p000~0/0?size=9")]
    public async Task Query_ThatIsNone_IsRefused(string path)
    {
        await ListAsync("");

        Assert.Equal(HttpStatusCode.BadRequest, (await Http.GetAsync(path)).StatusCode);
    }
}
