using Dsd.Tiny;
using Dsd.Tiny.Classifier;

namespace Dsd.Lab.Measure;

/// <summary>Which size a model's panels have.</summary>
internal static class ModelPanels
{
    /// <summary>
    /// The side in pixels that a model's classifier reads, which was trained on panels of that model's size; <see cref="TinyModel.PanelSize"/> where there is
    /// no classifier.
    /// </summary>
    /// <param name="modelFolder">The model's folder.</param>
    /// <exception cref="Dsd.Models.Weights.WeightsException">The classifier's config is none.</exception>
    public static int Side(string modelFolder)
    {
        string file = Path.Combine(modelFolder, "classifier", "config.json");
        return File.Exists(file) ? ClassifierConfig.Load(file).ImageSize : TinyModel.PanelSize;
    }
}
