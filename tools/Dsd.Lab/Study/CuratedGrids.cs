namespace Dsd.Lab.Study;

/// <summary>What the judge made of a set of grids: the content of <c>judged.json</c>.</summary>
/// <param name="Threshold">The judge's default threshold.</param>
/// <param name="CalledSame">Grids that the judge calls the same subject at that threshold.</param>
/// <param name="Kept">Numbers of the grids that are kept, in order.</param>
internal sealed record CuratedGrids(double Threshold, int CalledSame, IReadOnlyList<int> Kept)
{
    /// <summary>Whether the judge called so few the same that the surest were kept beyond its threshold.</summary>
    public bool BeyondThreshold => Kept.Count > CalledSame;

    public static CuratedGrids Load(string file) =>
        StudyJson.Load<CuratedGrids>(file, "what the judge made of grids; delete the file to have them judged again");

    public void Save(string file) => StudyJson.Save(file, this);
}
