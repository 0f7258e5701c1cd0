using System.Text.Json;

namespace Dsd.Lab.Study;

/// <summary>What a system costs in use: the content of its <c>timing.json</c>, measured while nothing else of the study runs.</summary>
/// <param name="SecondsPerPicture">The time of one picture asked for alone, in models that are loaded and warm: the mean of a few.</param>
/// <param name="PreparationSeconds">
/// What must be spent once on every new subject before pictures of it can be drawn: tuning, or encoding its reference; 0 where there is nothing to do.
/// </param>
internal sealed record SystemTiming(double SecondsPerPicture, double PreparationSeconds)
{
    /// <summary>Reads a timing.</summary>
    /// <exception cref="JsonException">The file holds none; the message names it.</exception>
    public static SystemTiming Load(string file) => StudyJson.Load<SystemTiming>(file, "a system's timing; delete the file to have it measured again");

    /// <summary>Writes the timing: whole, or not at all.</summary>
    public void Save(string file) => StudyJson.Save(file, this);
}
