using System.Text.Json;

namespace Dsd.Tiny.Study;

/// <summary>What a system costs in use: the content of its <c>timing.json</c>, measured while nothing else of the study runs.</summary>
/// <param name="SecondsPerPicture">The time of one picture asked for alone, in models that are loaded and warm: the mean of a few.</param>
/// <param name="TuningSeconds">The time of learning a subject before it can be drawn; 0 where nothing is learned of it.</param>
public sealed record SystemTiming(double SecondsPerPicture, double TuningSeconds)
{
    /// <summary>
    /// What must be spent on a subject before its first picture is there: the tuning, where there is one, which then is nearly all of it;
    /// otherwise one picture's time.
    /// </summary>
    internal double SecondsPerSubject => TuningSeconds > 0 ? TuningSeconds : SecondsPerPicture;

    /// <summary>Reads a timing.</summary>
    /// <exception cref="JsonException">The file holds none; the message names it.</exception>
    public static SystemTiming Load(string file) => StudyJson.Load<SystemTiming>(file, "a system's timing; delete the file to have it measured again");

    /// <summary>Writes the timing: whole, or not at all.</summary>
    public void Save(string file) => StudyJson.Save(file, this);
}
