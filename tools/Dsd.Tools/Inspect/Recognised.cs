namespace Dsd.Tools.Inspect;

/// <summary>What a set of tensors turned out to be.</summary>
/// <param name="Kind">A short fixed word: see <see cref="WeightsRecogniser"/>.</param>
/// <param name="Description">The same for people.</param>
/// <param name="Facts">Sizes read from the tensors' shapes, named as the model's config names them.</param>
internal sealed record Recognised(string Kind, string Description, IReadOnlyDictionary<string, object> Facts);
