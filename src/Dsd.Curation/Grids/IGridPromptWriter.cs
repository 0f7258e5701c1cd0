namespace Dsd.Curation.Grids;

/// <summary>Turns a seed caption into prompts for grids that show its subject several times (arXiv 2411.18616, section 3.1).</summary>
public interface IGridPromptWriter
{
    /// <summary>
    /// Writes <see cref="GridPromptRequest.Count"/> prompts, each with one caption a panel; fewer, but at least one, where a model would
    /// repeat itself.
    /// </summary>
    /// <exception cref="GridPromptException">The writer's answer could not be used.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    Task<IReadOnlyList<GridPrompt>> WriteAsync(GridPromptRequest request, CancellationToken cancellationToken = default);
}
