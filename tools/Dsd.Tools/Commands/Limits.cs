using System.CommandLine;
using System.Numerics;

namespace Dsd.Tools.Commands;

/// <summary>Bounds of options that only the command line has; those of the library's options lie in its records.</summary>
internal static class Limits
{
    /// <summary>Refuses values outside a range.</summary>
    public static Option<T> Between<T>(this Option<T> option, T least, T most)
        where T : INumber<T>
    {
        option.Validators.Add(result =>
        {
            T value = result.GetValueOrDefault<T>()!;
            if (!(value >= least && value <= most))
            {
                result.AddError($"Option '{option.Name}' must lie between {least} and {most}, but is {value}.");
            }
        });
        return option;
    }
}
