using System.Collections.Concurrent;
using Dsd.Curation.Presets;
using Dsd.MLNet.Stages.Running;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet;

/// <summary>Chat clients by name, so that a saved model can say which one it needs: a client itself cannot be saved.</summary>
/// <remarks>The name <see cref="Embedded"/> is known from the start, as that of any <see cref="CurationPreset"/> with a judge. Register
/// others at the start of a program, before models that name them are used.</remarks>
public static class ChatClients
{
    /// <summary>The embedded judge of the small world: a local network, no connection.</summary>
    public const string Embedded = "tiny";

    private static readonly ConcurrentDictionary<string, Func<IChatClient>> Factories = new();

    /// <summary>Makes a client known by name. Registering a name again replaces its client for what is loaded afterwards.</summary>
    /// <param name="name">The name that options give, such as <c>gpt</c>.</param>
    /// <param name="factory">Makes a client; whoever asked for it disposes it.</param>
    /// <exception cref="ArgumentException">The name is empty or that of a preset's judge, such as the embedded one.</exception>
    public static void Register(string name, Func<IChatClient> factory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        if (KnownPresets.Curation(name).Judge is not null)
        {
            throw new ArgumentException($"The name '{name}' stands for the embedded judge: choose another.", nameof(name));
        }
        Factories[name] = factory;
    }

    /// <exception cref="InvalidOperationException">No client of this name is registered.</exception>
    internal static IChatClient Create(string name) => Find(name)();

    /// <summary>A client that enhances prompts: a registered one, or what a preset of this name brings for it.</summary>
    /// <exception cref="InvalidOperationException">No client of this name is registered.</exception>
    internal static IChatClient CreateEnhancer(string name) => FindEnhancer(name)();

    /// <exception cref="InvalidOperationException">No client of this name is registered.</exception>
    internal static void RequireEnhancer(string name) => FindEnhancer(name);

    private static Func<IChatClient> FindEnhancer(string name) => KnownPresets.Curation(name).Enhancer ?? Find(name);

    /// <exception cref="InvalidOperationException">No client of this name is registered.</exception>
    internal static void RequireKnown(string name) => Find(name);

    private static Func<IChatClient> Find(string name) => Factories.TryGetValue(name, out Func<IChatClient>? factory)
        ? factory
        : KnownPresets.Curation(name).Judge ?? throw new InvalidOperationException(
            $"No chat client is registered as '{name}', only {string.Join(", ", Known().Select(k => $"'{k}'"))}. "
            + $"Call {nameof(ChatClients)}.{nameof(Register)}(\"{name}\", …) first.");

    private static IEnumerable<string> Known() => Factories.Keys.Union(KnownPresets.Judges().Select(p => p.Name)).Order();
}
