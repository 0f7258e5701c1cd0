namespace Dsd.Tools;

/// <summary>A command line that parses and still makes no sense.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
