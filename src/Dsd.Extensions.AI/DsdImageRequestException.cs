namespace Dsd.Extensions.AI;

/// <summary>A request that cannot be drawn as it is: what was expected, what was found, and what to do.</summary>
public sealed class DsdImageRequestException : ArgumentException
{
    /// <summary>Names what is wrong.</summary>
    /// <param name="parameter">
    /// Which part of the request: <c>prompt</c>, <c>image</c>, <c>size</c>, <c>n</c>, or a key of <see cref="DsdImageProperties"/>.
    /// </param>
    /// <param name="message">A full sentence.</param>
    /// <param name="innerException">What it came from.</param>
    public DsdImageRequestException(string parameter, string message, Exception? innerException = null)
        : base(message, innerException) => Parameter = parameter;

    /// <summary>Which part of the request.</summary>
    public string Parameter { get; }
}
