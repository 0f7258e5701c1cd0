namespace Dsd.Evaluation.Pictures;

/// <summary>
/// Whose arithmetic scales a picture. All are cubic with antialiasing (a = −0.5) in two passes, across first and then down, and differ in what is rounded.
/// </summary>
public enum Resampling
{
    /// <summary>Pillow's: weights as whole numbers with 22 binary places, bytes after each pass. Most published numbers were made with it.</summary>
    Pillow,

    /// <summary>
    /// torchvision's for bytes, which transformers uses since version 5: as Pillow's, but weights have 16 bits. It differs from Pillow's by one in less than a
    /// hundredth of the places.
    /// </summary>
    TorchvisionBytes,

    /// <summary>torchvision's for real numbers: nothing is rounded or cut off at black and white.</summary>
    TorchvisionFloats,
}
