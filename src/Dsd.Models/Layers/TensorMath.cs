using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Layers;

/// <summary>Arithmetic of tensors with numbers that live until it is done: docs/decisions/numbers-of-tensors.md.</summary>
/// <remarks>
/// TorchSharp hands libtorch the address of a <see cref="Scalar"/> and forgets the object. Where another thread then collects garbage, the number is freed
/// while libtorch reads it. <c>x * 0.5</c> makes such a number, and so do <c>x + y</c>, whose second tensor is multiplied by 1, and <c>x.square()</c>. The
/// methods here compute the same values, bit for bit.
/// </remarks>
public static class TensorMath
{
    private static readonly Scalar One = 1L.ToScalar();
    private static readonly Scalar Two = 2L.ToScalar();

    /// <summary>The sum of both, <c>tensor + other</c>.</summary>
    public static Tensor Plus(this Tensor tensor, Tensor other)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.add(other, One);
    }

    /// <summary>The sum of each value and a number.</summary>
    public static Tensor Plus(this Tensor tensor, double number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.add(scalar, One);
    }

    /// <summary>The sum of each value and a whole number: integers stay integers.</summary>
    public static Tensor Plus(this Tensor tensor, long number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.add(scalar, One);
    }

    /// <summary>Each value less a number.</summary>
    public static Tensor Minus(this Tensor tensor, double number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.sub(scalar);
    }

    /// <summary>Each value less a whole number: integers stay integers.</summary>
    public static Tensor Minus(this Tensor tensor, long number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.sub(scalar);
    }

    /// <summary>The product of each value and a number.</summary>
    public static Tensor Times(this Tensor tensor, double number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.mul(scalar);
    }

    /// <summary>The product of each value and a whole number: integers stay integers.</summary>
    public static Tensor Times(this Tensor tensor, long number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.mul(scalar);
    }

    /// <summary>Each value divided by a number.</summary>
    public static Tensor Over(this Tensor tensor, double number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.div(scalar);
    }

    /// <summary>Each value divided by a whole number: integers become floats.</summary>
    public static Tensor Over(this Tensor tensor, long number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.div(scalar);
    }

    /// <summary>The square of each value.</summary>
    public static Tensor Squared(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.pow(Two);
    }

    /// <summary>Adds another tensor to this one, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor AddInPlace(this Tensor tensor, Tensor other)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.add_(other, One);
    }

    /// <summary>Adds another tensor's multiple to this one, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor AddInPlace(this Tensor tensor, Tensor other, double factor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = factor.ToScalar();
        return tensor.add_(other, scalar);
    }

    /// <summary>Adds a whole number to each value, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor AddInPlace(this Tensor tensor, long number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.add_(scalar, One);
    }

    /// <summary>Multiplies each value by a whole number, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor MultiplyInPlace(this Tensor tensor, long number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.mul_(scalar);
    }

    /// <summary>Multiplies each value by a number, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor MultiplyInPlace(this Tensor tensor, double number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.mul_(scalar);
    }

    /// <summary>Adds a number to each value, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor AddInPlace(this Tensor tensor, double number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.add_(scalar, One);
    }

    /// <summary>Adds <c>factor · first · second</c> to this tensor, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor AddProductInPlace(this Tensor tensor, Tensor first, Tensor second, double factor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = factor.ToScalar();
        return tensor.addcmul_(first, second, scalar);
    }

    /// <summary>Adds <c>factor · dividend / divisor</c> to this tensor, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor AddQuotientInPlace(this Tensor tensor, Tensor dividend, Tensor divisor, double factor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = factor.ToScalar();
        return tensor.addcdiv_(dividend, divisor, scalar);
    }

    /// <summary>Divides each value by a number, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor DivideInPlace(this Tensor tensor, double number)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar scalar = number.ToScalar();
        return tensor.div_(scalar);
    }

    /// <summary>The sum <c>tensor + first · second</c>, in one kernel.</summary>
    public static Tensor PlusProduct(this Tensor tensor, Tensor first, Tensor second) => addcmul(tensor, first, second, One);

    /// <summary>Each value, or the nearer bound where it is outside of both.</summary>
    public static Tensor Clamped(this Tensor tensor, double least, double most)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar low = least.ToScalar();
        using Scalar high = most.ToScalar();
        return tensor.clamp(low, high);
    }

    /// <summary>Replaces each value that is outside of both bounds by the nearer one, in place.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor ClampInPlace(this Tensor tensor, double least, double most)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar low = least.ToScalar();
        using Scalar high = most.ToScalar();
        return tensor.clamp_(low, high);
    }

    /// <summary>Each value, or a bound where it is below that.</summary>
    public static Tensor AtLeast(this Tensor tensor, double least)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using Scalar low = least.ToScalar();
        return tensor.clamp_min(low);
    }

    /// <summary>A tensor of one value.</summary>
    public static Tensor Filled(long[] shape, double value, ScalarType? dtype = null, Device? device = null)
    {
        using Scalar scalar = value.ToScalar();
        return full(shape, scalar, dtype, device);
    }

    /// <summary>The whole numbers from 0 up to a number, which is not among them.</summary>
    public static Tensor Range(long end, ScalarType dtype, Device? device = null)
    {
        using Scalar start = 0L.ToScalar();
        using Scalar stop = end.ToScalar();
        using Scalar step = 1L.ToScalar();
        return arange(start, stop, step, dtype, device);
    }
}
