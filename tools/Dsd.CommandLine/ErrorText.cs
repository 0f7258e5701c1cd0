using System.Reflection;
using System.Text.RegularExpressions;

namespace Dsd.CommandLine;

/// <summary>Exceptions as one line for people.</summary>
public static partial class ErrorText
{
    private const int MaxLength = 2000;

    /// <summary>The message, with those of inner exceptions that say something new.</summary>
    public static string OneLine(Exception exception)
    {
        List<string> messages = [];
        for (Exception? e = exception; e is not null && messages.Count < 5; e = e.InnerException)
        {
            // These two only say that something else went wrong.
            if (e is TargetInvocationException or AggregateException or TypeInitializationException && e.InnerException is not null)
            {
                continue;
            }
            string message = Message(e);
            if (!messages.Any(m => m.Contains(message.TrimEnd('.'), StringComparison.Ordinal)))
            {
                messages.Add(message);
            }
        }
        string line = string.Join(" ", messages.Select(Sentence));
        return line.Length <= MaxLength ? line : line[..MaxLength] + "…";
    }

    /// <summary>A message on one line, with a full stop.</summary>
    public static string Sentence(string message)
    {
        string line = Printable.Line(message);
        return line.EndsWith('.') ? line : $"{line}.";
    }

    private static string Message(Exception e)
    {
        string message = e.Message;
        if (e is ArgumentException)
        {
            // The framework appends the parameter's name and the value, which the messages here already hold.
            int tail = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
            message = tail > 0 ? message[..tail] : message;
        }
        // The JSON reader names the program's types, which mean nothing to the author of the file.
        return JsonType().Replace(Printable.Line(message), match => $"The JSON value is not {Kind(match.Groups[1].Value)}");
    }

    private static string Kind(string type) => true switch
    {
        _ when type.Contains("Int", StringComparison.Ordinal) => "a whole number of this range",
        _ when type.Contains("Single", StringComparison.Ordinal) || type.Contains("Double", StringComparison.Ordinal) => "a number",
        _ when type.Contains("String", StringComparison.Ordinal) => "a text",
        _ when type.Contains("Boolean", StringComparison.Ordinal) => "true or false",
        _ => "what is expected here",
    };

    [GeneratedRegex(@"The JSON value could not be converted to (\S*[^\s.])")]
    private static partial Regex JsonType();
}
