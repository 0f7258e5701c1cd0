namespace Dsd.Models.Weights;

/// <summary>Where some rows of a tensor in a file belong.</summary>
/// <param name="Name">The module's parameter.</param>
/// <param name="From">The first of the file's rows.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="To">The parameter's row that the first of them is.</param>
internal sealed record WeightPiece(string Name, long From, long Rows, long To)
{
    /// <summary>Whether sides of one at the end of the tensor's shape are no sides of the parameter's: a 1 × 1 convolution that is a linear layer.</summary>
    public bool UnitSidesDropped { get; init; }

    /// <summary>A tensor's shape as the parameter has it.</summary>
    public long[] ShapeOf(TensorEntry entry)
    {
        int sides = entry.Shape.Length;
        while (UnitSidesDropped && sides > 2 && entry.Shape[sides - 1] == 1)
        {
            sides--;
        }
        return entry.Shape[..sides];
    }
}
