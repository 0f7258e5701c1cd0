using static TorchSharp.torch;

namespace Dsd.Models.Layers;

/// <summary>
/// What may lie over an <see cref="AdaptableLinear"/> and adds something of its own to the layer's result. This is how adapters of a new kind are written:
/// put one into <see cref="AdaptableLinear.Adapters"/>, and take it out again when it is no longer wanted.
/// </summary>
public interface ILinearAdapter
{
    /// <summary><c>y + adapter(x)</c>.</summary>
    /// <param name="y">
    /// The layer's result so far: [rows, outputs]. Rows are the tokens of the first picture of the batch, then those of the second, and so on. May be
    /// changed in place.
    /// </param>
    /// <param name="x">The layer's input: [rows, inputs], or the first channels of it.</param>
    /// <param name="beside">
    /// The input's other channels [rows, inputs − channels of x], where a layer takes them as a tensor of their own; null where x has all. Do not
    /// join the two: the gradient of each must be a tensor of its own too, not a slice.
    /// </param>
    /// <returns>[rows, outputs], y itself where it was changed in place.</returns>
    Tensor AddTo(Tensor y, Tensor x, Tensor? beside = null);
}
