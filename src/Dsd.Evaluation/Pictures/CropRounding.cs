namespace Dsd.Evaluation.Pictures;

/// <summary>Where the middle of a picture begins, when an odd number of pixels is left over.</summary>
public enum CropRounding
{
    /// <summary>Half a pixel to the left and up, as transformers does.</summary>
    Down,

    /// <summary>At the even one of the two places, as torchvision does.</summary>
    Even,
}
