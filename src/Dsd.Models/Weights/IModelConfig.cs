namespace Dsd.Models.Weights;

/// <summary>A component's config, which can tell whether its fields agree.</summary>
public interface IModelConfig
{
    /// <summary>Checks the fields alone and against each other. Reading a config from a file calls it and adds the file's name.</summary>
    /// <exception cref="ArgumentException">Names the field, what it may be and what it is.</exception>
    void Validate();
}
