namespace Dsd.Models.Weights;

/// <summary>Where tensors of a checkpoint are read from, whatever format its file has.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>The file that was opened.</summary>
    string Path { get; }

    /// <summary>The names of the tensors.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>Whether there is a tensor of this name.</summary>
    bool Contains(string name);

    /// <summary>A tensor's type and shape.</summary>
    /// <exception cref="WeightsException">There is no such tensor.</exception>
    TensorEntry Entry(string name);

    /// <summary>Elements of a floating tensor in single precision, rows first, from some element on.</summary>
    /// <exception cref="WeightsException">There is no such tensor, or it is one of whole numbers.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The tensor has fewer elements.</exception>
    void ReadFloats(string name, long first, Span<float> values);
}
