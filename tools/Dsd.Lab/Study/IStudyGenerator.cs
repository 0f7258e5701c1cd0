using Dsd.Imaging;

namespace Dsd.Lab.Study;

/// <summary>A system ready to draw: models loaded, weights in place.</summary>
internal interface IStudyGenerator : IDisposable
{
    /// <summary>Draws a picture for each case, in one batch where that is possible; in the order of the cases.</summary>
    IReadOnlyList<Picture> Draw(IReadOnlyList<StudyCase> cases, CancellationToken cancellationToken);
}
