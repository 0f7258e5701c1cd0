using Dsd.Dataset.Formats;
using Dsd.Models.Training;

namespace Dsd.Tools.Train;

/// <summary>The pairs of some datasets, one after another, as files' bytes: who takes them decodes what it needs, and nothing is kept.</summary>
/// <param name="datasets">The datasets, at least one.</param>
/// <param name="progress">Is told of each pair. Null is nobody.</param>
internal sealed class PairSource(IReadOnlyList<PairDataset> datasets, IProgress<PairsRead>? progress)
{
    /// <summary>Rows that were left out by the last reading, since their dataset says that they are not kept.</summary>
    public long LeftOut { get; private set; }

    /// <summary>Pairs of the last reading whose rows have further references, which training does not look at.</summary>
    public long Further { get; private set; }

    /// <summary>Pairs that the last reading gave.</summary>
    public long Count { get; private set; }

    /// <summary>Reads the pairs, once through all datasets.</summary>
    /// <exception cref="DatasetException">A row is not as it should be, or there is none; the message names the place.</exception>
    public IEnumerable<EncodedPair> Read(CancellationToken cancel)
    {
        (Count, LeftOut, Further) = (0, 0, 0);
        foreach (PairDataset dataset in datasets)
        {
            foreach (PairRecord row in dataset.Read(cancel))
            {
                // A dataset may hold what its judges have rejected, for people to look at.
                if (row.Details.Kept == false)
                {
                    LeftOut++;
                    continue;
                }
                Further += row.FurtherConditioning.Count > 0 ? 1 : 0;
                EncodedPair pair = new(row.Conditioning.ReadBytes(), row.Image.ReadBytes(), row.Caption, row.Source);
                Count++;
                progress?.Report(new PairsRead(Count));
                yield return pair;
            }
        }
        if (Count == 0)
        {
            string found = LeftOut > 0 ? $"{LeftOut} rows, none of which is kept" : "none";
            throw new DatasetException(string.Join(", ", datasets.Select(d => $"'{d.Path}'")), "pairs to train on", found);
        }
    }
}
