using System.CommandLine;
using System.CommandLine.Parsing;
using System.Numerics;

namespace Dsd.CommandLine.Options;

/// <summary>
/// What holds for every option of every command, in one place: how numbers are written, that a switch takes no value, and that no text is empty or a
/// mistyped option.
/// </summary>
public static class StrictOptions
{
    /// <summary>What the message about a value says that is a mistyped option.</summary>
    public const string ReadsLikeOption = "reads like an option";

    // A prompt may be empty where that is said.
    private const string MayBeEmpty = "--prompt";

    /// <summary>Puts the rules on a command and all below it.</summary>
    /// <exception cref="NotSupportedException">An option has a type that no rule is for.</exception>
    public static void Apply(Command command)
    {
        foreach (Option option in command.Options.Where(o => o is not (System.CommandLine.Help.HelpOption or VersionOption)))
        {
            Apply(option);
        }
        foreach (Argument argument in command.Arguments)
        {
            argument.Validators.Add(result => CheckTexts(result.Tokens, $"Argument '{argument.Name}'", mayBeEmpty: false, result.AddError));
        }
        foreach (Command below in command.Subcommands)
        {
            Apply(below);
        }
    }

    private static void Apply(Option option)
    {
        string[] words = [.. (option.HelpName ?? "").Split('|').Where(IsWord)];
        if (words.Length > 0)
        {
            // The names that an enum has in the program are not what is typed.
            option.CompletionSources.Clear();
            option.CompletionSources.Add(words);
        }
        if (option is Option<bool>)
        {
            // '--json false' would be taken as no '--json'; without a value there is nothing to be misread.
            option.Arity = ArgumentArity.Zero;
        }
        else if (option is Option<string> or Option<string[]>)
        {
            option.Validators.Add(result => CheckTexts(result.Tokens, $"Option '{option.Name}'", option.Name == MayBeEmpty, result.AddError));
        }
        else if (!(TakeNumbers<int>(option) || TakeNumbers<long>(option) || TakeNumbers<ulong>(option) || TakeNumbers<float>(option)
            || TakeNumbers<double>(option) || HasParser(option)))
        {
            throw new NotSupportedException($"Option '{option.Name}' has a type that needs a parser of its own.");
        }
    }

    // Of 'FOLDER|tiny' the second: what is to be typed as it stands.
    private static bool IsWord(string form) => form.Length > 1 && form.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');

    private static bool TakeNumbers<T>(Option option)
        where T : struct, INumber<T>, IMinMaxValue<T>
    {
        if (option is Option<T> always)
        {
            always.CustomParser = Read<T>;
            return true;
        }
        if (option is Option<T?> perhaps)
        {
            perhaps.CustomParser = result => Read<T>(result);
            return true;
        }
        return false;
    }

    // Only the generic class has the property, and the types that have parsers are the programs' own.
    private static bool HasParser(Option option) => option.GetType().GetProperty(nameof(Option<int>.CustomParser))?.GetValue(option) is not null;

    private static T Read<T>(ArgumentResult result)
        where T : struct, INumber<T>, IMinMaxValue<T>
    {
        string text = result.Tokens[0].Value;
        if (!Number.TryRead(text, out T value))
        {
            result.AddError($"Option '{(result.Parent as OptionResult)?.Option.Name}' {Number.Fault<T>(text)}.");
        }
        return value;
    }

    private static void CheckTexts(IEnumerable<Token> tokens, string what, bool mayBeEmpty, Action<string> fault)
    {
        foreach (string text in tokens.Select(t => t.Value))
        {
            if (!mayBeEmpty && string.IsNullOrWhiteSpace(text))
            {
                fault($"{what} is empty.");
            }
            else if (text.Length > 1 && text[0] == '-' && (text[1] == '-' || char.IsAsciiLetter(text[1])))
            {
                fault($"{what} was given '{Number.Shown(text)}', which {ReadsLikeOption}, and there is none of that name. If it is meant, write a './' "
                    + $"or a space before it.");
            }
        }
    }
}
