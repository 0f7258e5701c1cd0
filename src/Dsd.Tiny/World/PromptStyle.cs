namespace Dsd.Tiny.World;

/// <summary>How the wording of prompts is chosen.</summary>
public enum PromptStyle
{
    /// <summary>Many templates, synonyms and orders.</summary>
    Varied,

    /// <summary>One fixed template and one fixed word for every value, which the ablation of varied prompts needs.</summary>
    OneTemplate,
}
