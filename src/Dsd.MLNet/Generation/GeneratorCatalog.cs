using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>Drawing subjects: extensions of <c>mlContext.Transforms</c>.</summary>
public static class GeneratorCatalog
{
    /// <summary>Draws the subject of a reference as a prompt says (<see cref="DsdGenerator"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The added image column.</param>
    /// <param name="referenceColumnName">The image column with the subject. Default <c>Reference</c>.</param>
    /// <param name="promptColumnName">The text column that says what the subject does. Default <c>Prompt</c>.</param>
    /// <param name="model">The model (<see cref="DsdGeneratorOptions.Model"/>). Default the embedded one.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public static DsdGenerator GenerateImages(
        this TransformsCatalog catalog,
        string outputColumnName,
        string referenceColumnName = "Reference",
        string promptColumnName = "Prompt",
        string model = "tiny") =>
        catalog.GenerateImages(new DsdGeneratorOptions
        {
            GeneratedColumn = outputColumnName,
            ReferenceColumn = referenceColumnName,
            PromptColumn = promptColumnName,
            Model = model,
        });

    /// <summary>Draws the subject of a reference as a prompt says (<see cref="DsdGenerator"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">Model, backend, columns. Null, the default: the embedded model.</param>
    /// <param name="adapter">
    /// An adapter at hand. Null, the default: that of the input's column <see cref="DsdGeneratorOptions.AdapterColumn"/>, of the options, or of the model.
    /// </param>
    public static DsdGenerator GenerateImages(this TransformsCatalog catalog, DsdGeneratorOptions? options = null, LoraWeights? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return adapter is null ? new DsdGenerator(catalog.GetEnvironment(), options) : new DsdGenerator(catalog.GetEnvironment(), options, adapter);
    }
}
