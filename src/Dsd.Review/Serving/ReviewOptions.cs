namespace Dsd.Review.Serving;

/// <summary>How the review server listens.</summary>
public sealed record ReviewOptions
{
    /// <summary>The port on 127.0.0.1, 0 to 65535; 0 takes any free one. Default 0.</summary>
    public int Port
    {
        get;
        init => field = value is >= 0 and <= 65535 ? value : throw new ArgumentOutOfRangeException(nameof(Port), value, $"Option {nameof(Port)} must lie between 0 and 65535, but is {value}.");
    }
}
