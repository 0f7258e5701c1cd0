namespace Dsd.Curation.Judging;

/// <summary>How pictures are sent to a judge.</summary>
public enum PictureFormat
{
    /// <summary>Without loss; what the embedded judge was trained on.</summary>
    Png,

    /// <summary>Smaller, with loss: a tenth of a photograph's bytes.</summary>
    Jpeg,
}
