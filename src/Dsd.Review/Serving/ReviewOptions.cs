using Dsd.Common.Options;

namespace Dsd.Review.Serving;

/// <summary>How the review server listens.</summary>
public sealed record ReviewOptions
{
    /// <summary>The port on 127.0.0.1, 0 to 65535; 0 takes any free one. Default 0.</summary>
    public int Port { get; init => field = OptionCheck.Range(value, 0, 65535, nameof(Port)); }
}
