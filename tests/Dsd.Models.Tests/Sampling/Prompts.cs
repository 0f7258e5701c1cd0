using System.Text.Json;
using Dsd.Testing;

namespace Dsd.Models.Tests.Sampling;

/// <summary>The prompts that the fixtures were made with.</summary>
internal static class Prompts
{
    public static IReadOnlyList<string> All { get; } = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Fixtures.Path("prompts.json")))!;
}
