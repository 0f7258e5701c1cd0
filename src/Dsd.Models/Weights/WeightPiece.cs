namespace Dsd.Models.Weights;

/// <summary>Where some rows of a tensor in a file belong.</summary>
/// <param name="Name">The module's parameter.</param>
/// <param name="From">The first of the file's rows.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="To">The parameter's row that the first of them is.</param>
internal sealed record WeightPiece(string Name, long From, long Rows, long To);
