using Dsd.Evaluation.Metrics;

namespace Dsd.Lab.Study;

/// <summary>How well a system relights: the same subject, pose and scene under another light. Shares are 0 … 1, with 95 % intervals over subjects.</summary>
/// <param name="System">
/// <c>relight</c>, the distilled student; <c>copy</c>, the reference unchanged; <c>text</c>, the teacher from text with all that captions of the reference say.
/// </param>
/// <param name="Subjects">Held-out subjects, each in every light but the reference's.</param>
/// <param name="Identity">Share of the subject's identity attributes found.</param>
/// <param name="Structure">Share of the reference's scene, pose, placement and scale found.</param>
/// <param name="Light">Share of pictures in the light that was asked for.</param>
/// <param name="PixelError">Mean absolute difference from the true drawing under that light, of 255.</param>
internal sealed record RelightResult(string System, int Subjects, Interval Identity, Interval Structure, Interval Light, Interval PixelError);
