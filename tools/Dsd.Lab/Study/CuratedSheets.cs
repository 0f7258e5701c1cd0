namespace Dsd.Lab.Study;

/// <summary>What the judge made of a set of sheets: the content of <c>judged.json</c>.</summary>
/// <param name="Threshold">The judge's default threshold.</param>
/// <param name="CalledSame">Sheets that the judge calls the same subject at that threshold.</param>
/// <param name="Kept">Numbers of the sheets that are kept, in order.</param>
internal sealed record CuratedSheets(double Threshold, int CalledSame, IReadOnlyList<int> Kept)
{
    /// <summary>Whether the judge called so few the same that the surest were kept beyond its threshold.</summary>
    public bool BeyondThreshold => Kept.Count > CalledSame;

    public static CuratedSheets Load(string file) => StudyJson.Load<CuratedSheets>(file, "what the judge made of sheets; delete the file to have them judged again");

    public void Save(string file) => StudyJson.Save(file, this);
}
