using System.Text.Json;
using Dsd.Curation.Chat;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Tests.Chat;

public sealed class ChatRequestTests
{
    [Fact]
    public void APicture_SaysHowCloselyItIsLookedAt_WhereThatIsGiven()
    {
        DataContent plain = new(new byte[] { 1 }, "image/png");
        DataContent closely = new(new byte[] { 1 }, "image/png") { AdditionalProperties = new() { ["detail"] = "high" } };
        using JsonDocument body = JsonDocument.Parse(ChatRequest.Write([new(ChatRole.User, [plain, closely])], null, "m", stream: false));
        JsonElement content = body.RootElement.GetProperty("messages")[0].GetProperty("content");
        JsonElement[] pictures = [.. content.EnumerateArray().Select(c => c.GetProperty("image_url"))];

        Assert.False(pictures[0].TryGetProperty("detail", out _));
        Assert.Equal("high", pictures[1].GetProperty("detail").GetString());
    }
}
