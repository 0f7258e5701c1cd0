namespace Dsd.Models.Training.Parallel;

/// <summary>A group of training processes cannot be formed, or cannot go on since one of them died, left or broke the protocol.</summary>
public sealed class TrainingGroupException : Exception
{
    /// <summary>An error of a group.</summary>
    /// <param name="rank">The process at fault; null where none is known.</param>
    /// <param name="message">What happened; it names the process.</param>
    /// <param name="innerException">Where it was seen. Null, the default, is nothing.</param>
    public TrainingGroupException(int? rank, string message, Exception? innerException = null)
        : base(message, innerException) => Rank = rank;

    /// <summary>The process at fault; null where none is known.</summary>
    public int? Rank { get; }
}
