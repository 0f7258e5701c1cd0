using Dsd.Models.Sampling;

namespace Dsd.Extensions.AI;

/// <summary>A loaded model as the generator uses it.</summary>
/// <param name="Name">The model's name where no other is given.</param>
/// <param name="FromReference">Draws from references; null where nothing does.</param>
/// <param name="FromText">Draws from text; null where nothing does.</param>
/// <param name="Frame">How it draws a frame from a reference; its size is that of a picture from text too.</param>
/// <param name="TakesGuidance">Whether it has a guidance embedding.</param>
internal sealed record OpenedModel(string Name, IDsdModel? FromReference, ITextToImageModel? FromText, DsdOptions Frame, bool TakesGuidance);
