namespace Dsd.MLNet.Data;

/// <summary>Two pictures of one subject, by their paths below the folder.</summary>
internal sealed record SubjectPair(string Subject, string Reference, string Target);
