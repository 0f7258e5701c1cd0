using System.Reflection;

namespace Dsd.Tools;

/// <summary>Exceptions as one line for people.</summary>
internal static class ErrorText
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
        return Printable.Line(message);
    }
}
