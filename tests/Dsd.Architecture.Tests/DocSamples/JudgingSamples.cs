using Dsd.Curation.Axes;
using Dsd.Curation.Chat;
using Dsd.Curation.Enhancing;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.MLNet;
using Dsd.Runs;
using Dsd.Runs.Export;
using Dsd.Runs.Ledger;
using Dsd.Runs.Reports;
using Microsoft.Extensions.AI;
using Microsoft.ML;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>What docs/judging.md shows, compiled here.</summary>
internal static class JudgingSamples
{
    public static async Task AxesAsync(IChatClient client)
    {
        await using RunFolder run = RunFolder.Open("run");
        AxesProgress done = await new AxesRun(run, new AxesJudge(client)).RunAsync();                      // at any time after judging; goes on where it was
        SurvivalReport.Of(run.Ledger, prices: PriceList.Load("prices.json")).Write("survival");            // what each threshold keeps, and what a pair costs
        PairCut cut = new() { Least = new Dictionary<PairAxis, int> { [PairAxis.LowestPart] = 4, [PairAxis.ImageQuality] = 3 } };
        RunExport.Write("run", "pairs", cut: cut);                                                         // cut again, without asking anybody
        PreferenceExport.Write("run", "preferences", new PreferenceOptions { Cut = cut });                 // win and lose rows for preference tuning
    }

    public static void Judge()
    {
        ChatEndpoint endpoint = new(new Uri("https://api.openai.com/v1"), "some-model") { KeyVariable = "OPENAI_API_KEY" };
        ChatLimits limits = new() { Concurrency = 64, RequestsPerMinute = 5000, Budget = new ChatBudget { MaxCalls = 500_000 } };
        using LimitedChatClient client = new(endpoint.CreateClient(), limits);
        PairJudge judge = new(client);
    }

    public static async Task EnhanceAsync(MLContext ml, IChatClient client, Picture reference)
    {
        EnhancedPrompt enhanced = await new PromptEnhancer(client).EnhanceAsync("the toy rides a train", reference);
        ChatClients.Register("gpt", () => client);                        // in Dsd.MLNet: prompts of all rows, from the same noise as without
        DsdGenerator generator = new(ml, new DsdGeneratorOptions { Enhancer = "gpt" });
    }
}
