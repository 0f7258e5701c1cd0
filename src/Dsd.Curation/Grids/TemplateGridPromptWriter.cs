namespace Dsd.Curation.Grids;

/// <summary>Writes grid prompts from templates: without a network, the same for the same caption, layout and seed.</summary>
/// <remarks>
/// The caption is taken as the text that names the subject. Contexts are drawn without return, so a grid never shows one twice and a batch
/// of prompts goes through almost all of them before any comes again. Safe to share between threads.
/// </remarks>
public sealed class TemplateGridPromptWriter : IGridPromptWriter
{
    private readonly GridTemplates _templates;
    private readonly Dictionary<string, string> _kinds;

    /// <summary>A writer over the given templates, or over <see cref="GridTemplates.Default"/>.</summary>
    /// <exception cref="ArgumentException">There are not as many context kinds as contexts.</exception>
    public TemplateGridPromptWriter(GridTemplates? templates = null)
    {
        _templates = templates ?? GridTemplates.Default;
        IReadOnlyList<string> contexts = _templates.Contexts;
        IReadOnlyList<string> kinds = _templates.ContextKinds ?? contexts;
        if (kinds.Count != contexts.Count)
        {
            throw new ArgumentException(
                $"Option ContextKinds needs one entry for each of the {contexts.Count} contexts, but has {kinds.Count}.", nameof(templates));
        }
        _kinds = contexts.Zip(kinds).DistinctBy(pair => pair.First).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    /// <summary>Writes the prompts.</summary>
    /// <exception cref="ArgumentException">The layout has more panels than there are contexts of different kinds.</exception>
    public IReadOnlyList<GridPrompt> Write(GridPromptRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        int panels = request.Layout.Panels;
        if (_kinds.Values.Distinct().Count() is var kinds && kinds < panels)
        {
            throw new ArgumentException(
                $"A {request.Layout} grid needs {panels} different contexts, but the templates have {kinds}. Add contexts or take a smaller layout.",
                nameof(request));
        }
        ulong state = Seed(request);
        Queue<string> deck = new();
        GridPrompt[] prompts = new GridPrompt[request.Count];
        for (int i = 0; i < prompts.Length; i++)
        {
            prompts[i] = _templates.Compose(
                request.Caption, Deal(deck, panels, ref state), request.Layout, (int)(Next(ref state) % (ulong)_templates.Grids.Count));
        }
        return prompts;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<GridPrompt>> WriteAsync(GridPromptRequest request, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Write(request));
    }

    private string[] Deal(Queue<string> deck, int panels, ref ulong state)
    {
        // A card of a kind that this grid already has goes back under the deck.
        List<string> hand = [];
        HashSet<string> kinds = [];
        while (hand.Count < panels)
        {
            if (deck.All(context => kinds.Contains(_kinds[context])))
            {
                Shuffle(deck, ref state);
            }
            string context = deck.Dequeue();
            if (!kinds.Add(_kinds[context]))
            {
                deck.Enqueue(context);
            }
            else
            {
                hand.Add(context);
            }
        }
        return [.. hand];
    }

    private void Shuffle(Queue<string> deck, ref ulong state)
    {
        string[] cards = [.. _kinds.Keys];
        for (int i = cards.Length - 1; i > 0; i--)
        {
            int j = (int)(Next(ref state) % (ulong)(i + 1));
            (cards[i], cards[j]) = (cards[j], cards[i]);
        }
        foreach (string card in cards)
        {
            deck.Enqueue(card);
        }
    }

    // FNV-1a over the caption, mixed with the seed: string.GetHashCode differs from run to run.
    private static ulong Seed(GridPromptRequest request)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in $"{request.Layout} {request.Caption}")
        {
            hash = (hash ^ c) * 1099511628211;
        }
        return hash ^ ((ulong)request.Seed * 0x9E3779B97F4A7C15);
    }

    // SplitMix64 (Steele, Lea and Flood 2014): small, and the same on every platform and framework version.
    private static ulong Next(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
