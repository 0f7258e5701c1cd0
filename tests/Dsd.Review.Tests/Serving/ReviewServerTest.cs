using System.Net.Http.Json;
using System.Text.Json;
using Dsd.Review.Serving;

namespace Dsd.Review.Tests.Serving;

/// <summary>Tests of a review server over a run of 30 pairs, with what they ask of it.</summary>
public abstract class ReviewServerTest : IAsyncLifetime
{
    protected HttpClient Http { get; } = new();

    private protected TestRun Run { get; private set; } = null!;

    protected ReviewServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Run = await TestRun.MakeAsync(30);
        Server = await ReviewServer.StartAsync(Run.Folder);
        Http.BaseAddress = Server.Address;
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        Run.Dispose();
    }

    protected async Task<JsonElement> VerdictAsync(int pair, bool? kept)
    {
        HttpResponseMessage answer = await Http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(pair), kept });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    protected async Task<(long List, int Count)> ListAsync(string query)
    {
        JsonElement made = await Http.GetFromJsonAsync<JsonElement>($"api/lists?{query}");
        return (made.GetProperty("list").GetInt64(), made.GetProperty("count").GetInt32());
    }

    protected async Task<JsonElement> PartAsync(long list, int from, int count) =>
        (await Http.GetFromJsonAsync<JsonElement>($"api/lists/{list}?from={from}&count={count}")).GetProperty("pairs");

    protected async Task<JsonElement> PageAsync(string query, int from, int count) => await PartAsync((await ListAsync(query)).List, from, count);
}
