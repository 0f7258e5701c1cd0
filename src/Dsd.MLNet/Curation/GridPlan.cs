using Dsd.Curation.Grids;

namespace Dsd.MLNet.Curation;

/// <summary>What the shape of a curator's input says about its grids.</summary>
/// <param name="Captioned">Whether each panel has a caption of its own.</param>
/// <param name="Cutting">How grids are cut.</param>
internal sealed record GridPlan(bool Captioned, PanelCutterOptions Cutting);
