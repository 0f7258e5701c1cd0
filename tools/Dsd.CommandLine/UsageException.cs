namespace Dsd.CommandLine;

/// <summary>A command line that parses and still makes no sense.</summary>
public sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
