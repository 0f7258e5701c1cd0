namespace Dsd.Lab.Measure;

/// <summary>How often one attribute came out.</summary>
/// <param name="Attribute">The attribute's name.</param>
/// <param name="Count">How many pictures, or pairs of them, were looked at for it.</param>
/// <param name="Share">In which share of those it was right, or agreed; 0 … 1, null where there were none.</param>
internal sealed record AttributeShare(string Attribute, int Count, double? Share);
