using Dsd.MLNet;
using Microsoft.ML;

// Pairs of the pictures of one subject, judged. photos/striped/4.png shows somebody else: the judge should find it.
MLContext ml = new(seed: 1);
IDataView pairs = ml.Data.LoadSubjects("photos");
using var curator = ml.Transforms.JudgePairs().Fit(pairs);
// Kept in a folder, since a vision-language model costs money: a second run asks nobody.
IDataView judged = ml.Data.StoreRows(curator.Transform(pairs), "judged");
foreach (JudgedRow row in ml.Data.CreateEnumerable<JudgedRow>(judged, reuseRowObject: false))
{
    Console.WriteLine($"{(row.Kept ? "kept    " : "rejected")} {row.Confidence:0.00}  {row.ReferencePath}  {row.TargetPath}  {row.Reason}");
}

internal sealed class JudgedRow
{
    public string ReferencePath { get; set; } = "";

    public string TargetPath { get; set; } = "";

    public bool Kept { get; set; }

    public float Confidence { get; set; }

    public string Reason { get; set; } = "";
}
