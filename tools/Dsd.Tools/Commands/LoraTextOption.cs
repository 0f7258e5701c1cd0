using System.CommandLine;
using Dsd.Models.Lora;

namespace Dsd.Tools.Commands;

/// <summary><c>--lora-text</c>: what becomes of the parts of adapters that are for text encoders.</summary>
internal sealed class LoraTextOption
{
    private static readonly Dictionary<string, LoraTextEncoders> Choices = new()
    {
        ["refuse"] = LoraTextEncoders.Refuse,
        ["leave-out"] = LoraTextEncoders.LeaveOut,
        ["apply"] = LoraTextEncoders.Apply,
    };

    /// <summary>The option, to be added to a command.</summary>
    public Option<string?> Option { get; } = Create();

    /// <summary>What was chosen.</summary>
    /// <exception cref="UsageException">Something was chosen, but there is no adapter.</exception>
    public LoraTextEncoders Of(ParseResult parsed, bool hasAdapter)
    {
        string? chosen = parsed.GetValue(Option);
        return chosen is not null && !hasAdapter
            ? throw new UsageException($"'{Option.Name}' needs an adapter, but there is no '--lora'.")
            : Choices[chosen ?? "refuse"];
    }

    private static Option<string?> Create()
    {
        Option<string?> option = new("--lora-text")
        {
            Description = "For adapters with a part for text encoders: take the transformer's part alone (leave-out), or lay CLIP's part over CLIP too "
                + "(apply). Such files are refused if left out.",
            HelpName = string.Join('|', Choices.Keys),
        };
        option.AcceptOnlyFromAmong([.. Choices.Keys]);
        return option;
    }
}
