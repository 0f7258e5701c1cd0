namespace Dsd.Serving.Tests;

/// <summary>Waits for what another thread will do.</summary>
internal static class Until
{
    public static async Task Is(Func<bool> condition, string what)
    {
        for (int i = 0; i < 1200; i++)
        {
            if (condition())
            {
                return;
            }
            await Task.Delay(25);
        }
        Assert.Fail($"Not within half a minute: {what}");
    }
}
