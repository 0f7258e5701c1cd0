namespace Dsd.Curation.Grids;

/// <summary>A chat model's grid prompts that could not be used.</summary>
public sealed class GridPromptException : Exception
{
    /// <summary>Names the caption, what was expected and what was found.</summary>
    public GridPromptException(string caption, string reason, Exception? inner = null)
        : base($"Grid prompts for '{caption}': {reason}", inner)
    {
    }
}
