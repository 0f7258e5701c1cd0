using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>Training an adapter: an extension of <c>mlContext.Transforms</c>.</summary>
public static class FineTunerCatalog
{
    /// <summary>Trains a LoRA on pairs (<see cref="LoraFineTuner"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The added column with the adapter. <see cref="DsdGenerator"/> looks for <c>Adapter</c>.</param>
    /// <param name="referenceColumnName">The image column with the subject. Default <c>Reference</c>.</param>
    /// <param name="targetColumnName">The image column with the target. Default <c>Target</c>.</param>
    /// <param name="promptColumnName">The text column that says what the target shows. Default <c>Prompt</c>.</param>
    /// <param name="model">The model that is adapted (<see cref="LoraFineTunerOptions.Model"/>). Default the embedded one.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public static LoraFineTuner FineTuneLora(
        this TransformsCatalog catalog,
        string outputColumnName,
        string referenceColumnName = "Reference",
        string targetColumnName = "Target",
        string promptColumnName = "Prompt",
        string model = "tiny") =>
        catalog.FineTuneLora(new LoraFineTunerOptions
        {
            AdapterColumn = outputColumnName,
            ReferenceColumn = referenceColumnName,
            TargetColumn = targetColumnName,
            PromptColumn = promptColumnName,
            Model = model,
        });

    /// <summary>Trains a LoRA on pairs (<see cref="LoraFineTuner"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">Model, training, columns. Null, the default: a brief run on the embedded model.</param>
    public static LoraFineTuner FineTuneLora(this TransformsCatalog catalog, LoraFineTunerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new LoraFineTuner(catalog.GetEnvironment(), options);
    }
}
