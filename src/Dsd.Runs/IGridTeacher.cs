using Dsd.Imaging;

namespace Dsd.Runs;

/// <summary>Draws grids from prompts: the teacher, seen from a run.</summary>
public interface IGridTeacher
{
    /// <summary>What it is called in the ledger: the model, with what else its pictures depend on.</summary>
    string Name { get; }

    /// <summary>Draws a batch. A grid depends on its own text and seed alone, not on what else is in the batch.</summary>
    /// <param name="grids">Text and seed of each.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    IReadOnlyList<Picture> Draw(IReadOnlyList<(string Text, long Seed)> grids, CancellationToken cancellationToken);
}
