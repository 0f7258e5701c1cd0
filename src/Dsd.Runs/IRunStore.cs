using Dsd.Imaging;
using Dsd.Runs.Ledger;

namespace Dsd.Runs;

/// <summary>Where a run reads what was done and writes what it does: a folder of this machine (<see cref="RunFolder"/>), or one at another's end.</summary>
/// <remarks>
/// Safe to use from many threads. A write is done when its task is, and survives the end of the process from then on. The same thing
/// written twice is kept once. A <see cref="LedgerException"/> that concerns one row alone (<see cref="LedgerException.ConcernsOneRow"/>)
/// fails the piece of work that needs it; others end the run.
/// </remarks>
public interface IRunStore
{
    /// <summary>Begins or goes on with a run.</summary>
    /// <param name="run">All that its results depend on, as <see cref="RunOptions.Fingerprint"/> tells it.</param>
    /// <param name="facts">What readers of the results need to know, by name.</param>
    /// <exception cref="LedgerException">The store holds another run.</exception>
    Task BeginAsync(string run, IReadOnlyDictionary<string, string> facts);

    /// <summary>The prompts that were written for a caption, in order; null where they were not.</summary>
    /// <exception cref="LedgerException">Another caption has this key.</exception>
    Task<IReadOnlyList<LedgerPrompt>?> PromptsAsync(SeedCaption caption);

    /// <summary>Writes a caption with all of its prompts.</summary>
    /// <exception cref="LedgerException">Another caption has this key, or other prompts were written for it.</exception>
    Task WritePromptsAsync(SeedCaption caption, IReadOnlyList<LedgerPrompt> prompts);

    /// <summary>The grid that was drawn for a prompt; null where none was, or where its file is gone or damaged.</summary>
    Task<Picture?> GridAsync(string promptId);

    /// <summary>Whether the grid that was drawn for a prompt is there, whole.</summary>
    async Task<bool> HasGridAsync(string promptId) => await GridAsync(promptId).ConfigureAwait(false) is not null;

    /// <summary>Writes a grid.</summary>
    /// <param name="promptId">The prompt.</param>
    /// <param name="grid">The picture.</param>
    /// <param name="teacher">What drew it.</param>
    Task WriteGridAsync(string promptId, Picture grid, string teacher);

    /// <summary>Captions that panels were given in place of the text that the grid was drawn from, by panel.</summary>
    Task<IReadOnlyDictionary<int, string>> PanelCaptionsAsync(string promptId);

    /// <summary>Writes a panel's own caption.</summary>
    Task WritePanelCaptionAsync(string promptId, int panel, string caption);

    /// <summary>The pairs of a grid that are judged already, as panels.</summary>
    Task<IReadOnlySet<(int First, int Second)>> JudgedAsync(string promptId);

    /// <summary>Writes a judgement with all its votes.</summary>
    Task WritePairAsync(LedgerPair pair);

    /// <summary>Notes that a piece of work failed; the note goes when the work is done after all.</summary>
    Task WriteFailureAsync(string id, string stage, string message);

    /// <summary>Notes what a session has spent so far of the run's budget.</summary>
    /// <param name="session">Which: a name of its own for each process that works for the run, each time it does.</param>
    /// <param name="calls">Calls to chat models, 0 or more.</param>
    /// <param name="tokens">Tokens of their questions and answers, 0 or more.</param>
    /// <returns>What all sessions of the run have spent, this one with it.</returns>
    Task<(long Calls, long Tokens)> SpendAsync(string session, long calls, long tokens);

    /// <summary>
    /// Makes sure, before a run says that it is done, that what was written is where it will be looked for. A store at another's end leaves
    /// that to the other.
    /// </summary>
    /// <exception cref="IOException">The store was taken away meanwhile.</exception>
    Task CheckAsync() => Task.CompletedTask;
}
