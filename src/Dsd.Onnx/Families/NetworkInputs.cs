using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Families;

/// <summary>A network's inputs for some rows over the steps of a generation, without latents and condition.</summary>
public sealed class NetworkInputs : IDisposable
{
    /// <summary>Takes the tensors over.</summary>
    /// <param name="constant">What stays the same in all steps, by the inputs' names.</param>
    /// <param name="pieces">The inputs that are of one step, in the order in which they stand in a row of <paramref name="steps"/>.</param>
    /// <param name="steps">[steps, numbers of all pieces]: each piece for all rows, one piece after another.</param>
    /// <exception cref="ArgumentException">The pieces are no row of the steps.</exception>
    public NetworkInputs(IReadOnlyList<(string Name, OnnxTensor Value)> constant, IReadOnlyList<NetworkPiece> pieces, OnnxTensor steps)
    {
        ArgumentNullException.ThrowIfNull(constant);
        ArgumentNullException.ThrowIfNull(pieces);
        ArgumentNullException.ThrowIfNull(steps);
        if (pieces.Sum(p => p.Count) != steps.Shape[1])
        {
            throw new ArgumentException($"Pieces of {pieces.Sum(p => p.Count)} numbers cannot be cut from rows of {steps.Shape[1]}.", nameof(steps));
        }
        (Constant, Pieces, Steps) = (constant, pieces, steps);
    }

    /// <summary>What stays the same in all steps, by the inputs' names.</summary>
    public IReadOnlyList<(string Name, OnnxTensor Value)> Constant { get; }

    /// <summary>The inputs that are of one step, in the order in which they stand in a row of <see cref="Steps"/>.</summary>
    public IReadOnlyList<NetworkPiece> Pieces { get; }

    /// <summary>[steps, numbers of all pieces].</summary>
    public OnnxTensor Steps { get; }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Steps.Dispose();
        foreach ((_, OnnxTensor value) in Constant)
        {
            value.Dispose();
        }
    }
}

/// <summary>An input that is of one step.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape, with all rows.</param>
public sealed record NetworkPiece(string Name, params IReadOnlyList<long> Shape)
{
    /// <summary>How many numbers it has.</summary>
    public int Count => (int)Shape.Aggregate(1L, (product, side) => checked(product * side));
}
