using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>
/// Which layers PEFT adapts by an <c>adapter_config.json</c> (<c>check_target_module_exists</c>, 0.21). Factors of others it passes over, so a file that
/// has some contradicts its
/// config. Where the config stands in the file's metadata, diffusers lets the factors decide, and so does this library.
/// </summary>
/// <param name="fields">The config's fields.</param>
/// <param name="savedModules">What <c>modules_to_save</c> names.</param>
internal sealed class PeftTargets(IReadOnlyDictionary<string, JsonElement> fields, IReadOnlyList<string> savedModules)
{
    private const string AllLinear = "all-linear";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>What is wrong with the layers that a file has factors for; null for nothing.</summary>
    public LoraProblem? Of(IReadOnlyCollection<string> modules)
    {
        try
        {
            (string Module, string? Why)[] passed = [.. modules.Select(m => (m, WhyNot(m))).Where(m => m.Item2 is not null)];
            return passed.Length == 0 ? null : new(
                "factors of the layers alone that the adapter's config chooses",
                $"{passed.Length} of others: {WeightsException.Some([.. passed.Select(p => $"{p.Module} by '{p.Why}'")])}");
        }
        catch (Exception e) when (e is FormatException or RegexMatchTimeoutException)
        {
            return new("names or regular expressions as the modules of the adapter's config", e is FormatException ? e.Message : "one that was given up");
        }
    }

    private string? WhyNot(string module) =>
        Names("exclude_modules", module) == true ? "exclude_modules"
        : savedModules.Any(s => $".{module}.".Contains($".{s}.", StringComparison.Ordinal)) ? "modules_to_save"
        : Names("target_modules", module) == false ? "target_modules"
        : !IsOfAChosenBlock(module) ? "layers_to_transform"
        : null;

    /// <summary>Whether a field names a module; null where it names none at all.</summary>
    private bool? Names(string field, string module)
    {
        switch (fields.GetValueOrDefault(field))
        {
            case { ValueKind: JsonValueKind.String } text:
                string pattern = text.GetString()!;
                return pattern.Length == 0 ? null : pattern == AllLinear || PeftPatterns.Expression(pattern, whole: true, Limit)(module);
            case { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() > 0:
                return list.EnumerateArray().Any(t => t.ValueKind == JsonValueKind.String
                    ? module == t.GetString() || module.EndsWith("." + t.GetString(), StringComparison.Ordinal)
                    : throw new FormatException($"{t.GetRawText()} in '{field}'"));
            case { ValueKind: JsonValueKind.Array or JsonValueKind.Null or JsonValueKind.Undefined }:
                return null;
            case var other:
                throw new FormatException($"{other.ValueKind} as '{field}'");
        }
    }

    private bool IsOfAChosenBlock(string module)
    {
        JsonElement chosen = fields.GetValueOrDefault("layers_to_transform");
        if (chosen.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null || (chosen.ValueKind == JsonValueKind.Array && chosen.GetArrayLength() == 0))
        {
            return true;
        }
        // PEFT looks for a numbered block within something else: FLUX's own blocks, which stand at the top, it does not find.
        string[] parts = module.Split('.');
        string[] lists = fields.GetValueOrDefault("layers_pattern") switch
        {
            { ValueKind: JsonValueKind.String } one => [one.GetString()!],
            { ValueKind: JsonValueKind.Array } several => [.. several.EnumerateArray().Select(l => l.ToString())],
            _ => [],
        };
        int[] numbers = [.. Enumerable.Range(2, Math.Max(0, parts.Length - 3))
            .Where(i => parts[i].Length > 0 && parts[i].All(char.IsAsciiDigit) && (lists.All(l => l.Length == 0) || lists.Contains(parts[i - 1])))
            .Take(1)];
        return numbers is [var at] && int.TryParse(parts[at], NumberStyles.None, CultureInfo.InvariantCulture, out int block)
            && (chosen.ValueKind == JsonValueKind.Array ? [.. chosen.EnumerateArray()] : new[] { chosen })
                .Any(c => c.ValueKind == JsonValueKind.Number && c.TryGetInt32(out int number) && number == block);
    }
}
