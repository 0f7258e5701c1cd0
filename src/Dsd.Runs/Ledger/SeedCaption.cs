using System.Security.Cryptography;
using System.Text;

namespace Dsd.Runs.Ledger;

/// <summary>A caption that a run begins with.</summary>
/// <param name="Key">
/// What it is called everywhere: 1 to 64 letters, digits, '-', '_' or '.'. Seeds and ids follow from it, so it must not change between
/// runs.
/// </param>
/// <param name="Caption">The words.</param>
public sealed record SeedCaption(string Key, string Caption)
{
    /// <summary>What it is called everywhere.</summary>
    public string Key { get; init => field = Checked(value); } = Checked(Key);

    /// <summary>The words.</summary>
    public string Caption { get; init => field = Worded(value); } = Worded(Caption);

    /// <summary>A caption whose key follows from its words.</summary>
    public static SeedCaption Of(string caption)
    {
        string text = Worded(caption);
        return new SeedCaption(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16], text);
    }

    private static string Checked(string? key) =>
        key is { Length: > 0 and <= 64 } && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && key[0] != '.'
            ? key
            : throw new ArgumentException(
                $"A caption's key must be 1 to 64 letters, digits, '-', '_' or '.', and not begin with '.', but is '{key}'.", nameof(Key));

    private static string Worded(string? caption) =>
        !string.IsNullOrWhiteSpace(caption) && caption.Length <= 4000
            ? caption.Trim()
            : throw new ArgumentException($"A caption must have 1 to 4000 characters, but has {caption?.Trim().Length ?? 0}.", nameof(Caption));
}
