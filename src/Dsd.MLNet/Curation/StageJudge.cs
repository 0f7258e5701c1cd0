using Dsd.Curation.Judging;
using Dsd.MLNet.Stages;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet.Curation;

/// <summary>The judge of a stage, as its options name it.</summary>
internal static class StageJudge
{
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public static void CheckTogether(JudgingStageOptions options)
    {
        StageOptionCheck.NotBesideTask(
            options.Task,
            (options.Judging.RejectedFlags is { Count: > 0 } flags ? flags : null, $"{nameof(options.Judging)}.{nameof(options.Judging.RejectedFlags)}"),
            (options.Judging.Instructions, $"{nameof(options.Judging)}.{nameof(options.Judging.Instructions)}"),
            (options.Judging.InstructionsFile, $"{nameof(options.Judging)}.{nameof(options.Judging.InstructionsFile)}"));
        string? given = options.ChatClient is not null ? nameof(options.ChatClient) : options.PairJudge is not null ? nameof(options.PairJudge) : null;
        if (given is not null && options.Judge != ChatClients.Embedded)
        {
            throw new ArgumentException($"Options {given} and Judge ('{options.Judge}') both name a judge: give one of them.", nameof(options));
        }
        if (options.ChatClient is not null && options.PairJudge is not null)
        {
            throw new ArgumentException("Options ChatClient and PairJudge both name a judge: give one of them.", nameof(options));
        }
    }

    /// <summary>Checks what can be known before a question is asked.</summary>
    /// <exception cref="InvalidOperationException">No chat client has the judge's name.</exception>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    public static void Check(JudgingStageOptions options)
    {
        if (options.ChatClient is null && options.PairJudge is null)
        {
            ChatClients.RequireKnown(options.Judge);
        }
        if (options.PairJudge is null)
        {
            // Reads the instructions, and refuses options that contradict each other.
            _ = new PairJudge(options.ChatClient ?? new UnaskedClient(), options.EffectiveJudging);
        }
    }

    /// <summary>The judge, and the client that was asked for it and must be disposed, if there is one.</summary>
    public static (IPairJudge Judge, IDisposable? Owned) Make(JudgingStageOptions options)
    {
        if (options.PairJudge is not null || options.ChatClient is not null)
        {
            return (options.PairJudge ?? new PairJudge(options.ChatClient!, options.EffectiveJudging), null);
        }
        IChatClient client = ChatClients.Create(options.Judge);
        return (new PairJudge(client, options.EffectiveJudging), client);
    }

    /// <exception cref="InvalidOperationException">The judge has no name under which it could be saved.</exception>
    public static void RequireSavable(JudgingStageOptions options, string stage)
    {
        if (options.PairJudge is not null)
        {
            throw new InvalidOperationException(
                $"A {stage} with the option {nameof(options.PairJudge)} cannot be saved, because a judge cannot. Make it again where the model is loaded.");
        }
        if (options.ChatClient is not null)
        {
            throw new InvalidOperationException(
                $"A {stage} with the option {nameof(options.ChatClient)} cannot be saved, because a client cannot. "
                + $"Register it, {nameof(ChatClients)}.{nameof(ChatClients.Register)}(\"name\", …), and set the option {nameof(options.Judge)} to its name.");
        }
    }
}
