using System.Net;
using Dsd.Testing;
using TorchSharp;

namespace Dsd.Serving.Tests.Http;

/// <summary>Many clients at once on the embedded student: some are sent away, the others are drawn, and nothing stays behind.</summary>
[Collection(TinyStudent.Collection)]
public sealed class LoadTests(TinyStudent tiny)
{
    [Fact]
    public async Task ManyClients_AreDrawnOrSentAway_AndMemoryStaysFlat()
    {
        const int Clients = 8;
        await using ImageHost host = await ImageHost.StartAsync(tiny.Generator, new DsdServingOptions { MaxWaiting = 3 });
        await RoundAsync(host, Clients, 1);
        GC.Collect();
        long tensors = torch.Tensor.TotalCount;
        long bytes = ProcessMemory.Anonymous();

        (int drawn, int full) = await RoundAsync(host, Clients, 5);

        Assert.Equal(Clients * 5, drawn + full);
        Assert.True(drawn >= 5 && full > 0, $"{drawn} drawn, {full} sent away");
        await Until.Is(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return torch.Tensor.TotalCount <= tensors;
            },
            $"no more tensors than {tensors}, but {torch.Tensor.TotalCount}");
        if (OperatingSystem.IsLinux())
        {
            Assert.InRange(ProcessMemory.Anonymous() - bytes, long.MinValue, 150L << 20);
        }
    }

    private static async Task<(int Drawn, int Full)> RoundAsync(ImageHost host, int clients, int requests)
    {
        int drawn = 0, full = 0;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async client =>
        {
            for (int i = 0; i < requests; i++)
            {
                byte[] reference = client % 2 == 0 ? TinyStudent.FirstReference : TinyStudent.SecondReference;
                using HttpResponseMessage answer = await host.Http.PostAsync(
                    "v1/images/edits", ImageHost.Form(reference, ("prompt", $"a {client}"), ("steps", "1"), ("size", "64x64")));
                if (answer.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    Assert.NotNull(answer.Headers.RetryAfter);
                    Interlocked.Increment(ref full);
                    await Task.Delay(50);
                }
                else
                {
                    Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
                    Interlocked.Increment(ref drawn);
                }
            }
        }));
        return (drawn, full);
    }
}
