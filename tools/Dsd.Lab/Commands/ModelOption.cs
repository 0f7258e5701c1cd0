using System.CommandLine;
using Dsd.Tiny;

namespace Dsd.Lab.Commands;

/// <summary>The option that says which model is measured.</summary>
internal static class ModelOption
{
    /// <summary>The option; the embedded model if it is left out.</summary>
    /// <param name="measures">What the model's folder must hold for it.</param>
    public static Option<string> Create(string measures) => new("--model")
    {
        Description = $"A model's folder with {measures} in place of the embedded one, such as a newly trained one.",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => TinyModel.Name,
    };
}
