using System.Collections.Concurrent;
using Dsd.MLNet.Stages.Running;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet;

/// <summary>Chat clients by name, so that a saved model can say which one it needs: a client itself cannot be saved.</summary>
/// <remarks>The name <see cref="Embedded"/> is known from the start. Register others at the start of a program, before models that name them are
/// used.</remarks>
public static class ChatClients
{
    /// <summary>The embedded judge of the small world: a local network, no connection.</summary>
    public const string Embedded = "tiny";

    private static readonly ConcurrentDictionary<string, Func<IChatClient>> Factories = new() { [Embedded] = ModelDefaults.EmbeddedJudge };

    /// <summary>Makes a client known by name. Registering a name again replaces its client for what is loaded afterwards.</summary>
    /// <param name="name">The name that options give, such as <c>gpt</c>.</param>
    /// <param name="factory">Makes a client; whoever asked for it disposes it.</param>
    /// <exception cref="ArgumentException">The name is empty or that of the embedded judge.</exception>
    public static void Register(string name, Func<IChatClient> factory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        if (name == Embedded)
        {
            throw new ArgumentException($"The name '{Embedded}' stands for the embedded judge: choose another.", nameof(name));
        }
        Factories[name] = factory;
    }

    /// <exception cref="InvalidOperationException">No client of this name is registered.</exception>
    internal static IChatClient Create(string name) => Find(name)();

    /// <exception cref="InvalidOperationException">No client of this name is registered.</exception>
    internal static void RequireKnown(string name) => Find(name);

    private static Func<IChatClient> Find(string name) => Factories.TryGetValue(name, out Func<IChatClient>? factory)
        ? factory
        : throw new InvalidOperationException(
            $"No chat client is registered as '{name}', only {string.Join(", ", Factories.Keys.Order().Select(k => $"'{k}'"))}. "
            + $"Call {nameof(ChatClients)}.{nameof(Register)}(\"{name}\", …) first.");
}
