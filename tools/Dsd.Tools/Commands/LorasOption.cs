using System.CommandLine;
using Dsd.Models.Lora;

namespace Dsd.Tools.Commands;

/// <summary><c>--lora FILE[:SCALE]</c>, several times, and what becomes of the adapters' parts for text encoders.</summary>
/// <param name="isRequired">Whether there must be one.</param>
internal sealed class LorasOption(bool isRequired = false)
{
    private readonly LoraTextOption _text = new();

    private readonly Option<string[]> _files = new("--lora")
    {
        Description = "An adapter, and after a colon its strength. It may be given several times.",
        HelpName = "FILE[:SCALE]",
        Required = isRequired,
        // An option with a value of its own is never missed.
        DefaultValueFactory = isRequired ? null : _ => [],
    };

    /// <summary>The options, to be added to a command.</summary>
    public Option[] Options => [_files, _text.Option];

    /// <summary>The adapters that were named.</summary>
    /// <exception cref="UsageException">A strength is no number or out of range, or the choice for text encoders has no adapter.</exception>
    public LoraUse[] Of(ParseResult parsed)
    {
        LoraUse[] loras = CheckedOptions.Build(() => parsed.GetRequiredValue(_files).Select(Lora).ToArray());
        LoraTextEncoders text = _text.Of(parsed, loras.Length > 0);
        return [.. loras.Select(l => l with { TextEncoders = text })];
    }

    // The last colon with a number behind it: a path may hold others.
    private static LoraUse Lora(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon <= 0)
        {
            return new LoraUse(text);
        }
        (string file, string strength) = (text[..colon], text[(colon + 1)..]);
        if (Number.TryRead(strength, out float scale))
        {
            return new LoraUse(file, scale);
        }
        bool isMeantAsNumber = File.Exists(file) || strength.Length > 0 && (char.IsDigit(strength[0]) || strength[0] is '-' or '+' or '.' or ',');
        return isMeantAsNumber && !Path.Exists(text)
            ? throw new UsageException($"Option '--lora': the strength after '{Printable.Line(file)}:' {Number.Fault<float>(strength)}.")
            : new LoraUse(text);
    }
}
