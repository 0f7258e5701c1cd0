using System.CommandLine;
using System.CommandLine.Parsing;
using System.Numerics;

namespace Dsd.CommandLine.Options;

/// <summary>Bounds of options that only the command line has; those of the library's options lie in its records.</summary>
public static class Limits
{
    /// <summary>Refuses values outside a range.</summary>
    public static Option<T> Between<T>(this Option<T> option, T least, T most)
        where T : struct, INumber<T>
    {
        option.Validators.Add(result => Check(result, least, most));
        return option;
    }

    /// <summary>Refuses values outside a range, where one was given.</summary>
    public static Option<T?> Between<T>(this Option<T?> option, T least, T most)
        where T : struct, INumber<T>
    {
        option.Validators.Add(result => Check(result, least, most));
        return option;
    }

    // Text that is no number is reported where it is read.
    private static void Check<T>(OptionResult result, T least, T most)
        where T : struct, INumber<T>
    {
        if (result.Tokens is [Token token] && Number.TryRead(token.Value, out T value) && !(value >= least && value <= most))
        {
            result.AddError($"Option '{result.Option.Name}' must lie between {least} and {most}, but is {token.Value}.");
        }
    }
}
