using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>The models of a <see cref="ChatSettings"/> in their roles: what writes, judges and captions in a run. Owns the clients.</summary>
public sealed class ChatRoles : IDisposable
{
    private readonly Dictionary<string, IChatClient> _clients = [];
    private readonly Func<string, IChatClient?>? _known;
    private readonly ChatSettings _settings;

    private ChatRoles(ChatSettings settings, Func<string, IChatClient?>? known) => (_settings, _known) = (settings, known);

    /// <summary>Writes grid prompts.</summary>
    public IGridPromptWriter Writer { get; private set; } = null!;

    /// <summary>Judges pairs.</summary>
    public IPairJudge Judge { get; private set; } = null!;

    /// <summary>Captions panels; null where captions are the text that the grid was drawn from.</summary>
    public PanelCaptioner? Captioner { get; private set; }

    /// <summary>What the models of the file have spent, and may.</summary>
    public ChatBudget Budget { get; private set; } = null!;

    /// <summary>Makes the clients and puts them in their roles.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="task">What the dataset is about: its words for writer and judge, and the flags that drop a pair.</param>
    /// <param name="templates">Words around subjects and contexts in place of the task's, for a model that knows its own only; null for the task's.</param>
    /// <param name="known">A client that the program knows by name, such as an embedded judge; null where it knows none of that name. It is taken over.</param>
    /// <exception cref="InvalidDataException">The settings name a model that nobody knows.</exception>
    /// <exception cref="InvalidOperationException">An environment variable for a key is not set.</exception>
    public static ChatRoles Open(ChatSettings settings, CurationTask task, GridTemplates? templates = null, Func<string, IChatClient?>? known = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(task);
        ChatRoles roles = new(settings, known)
        {
            Budget = new ChatBudget { MaxCalls = settings.MaxCalls, MaxTokens = settings.MaxTokens },
        };
        try
        {
            CurationTask asked = templates is null ? task : task with { Templates = templates };
            roles.Writer = settings.Writer is { } writer
                ? asked.CreateWriter(roles.Client(writer, nameof(settings.Writer)), roles.Options(writer))
                : asked.CreateWriter(null);
            roles.Captioner = settings.Captioner is { } captioner ? new PanelCaptioner(roles.Client(captioner, nameof(settings.Captioner))) : null;
            roles.Judge = roles.Panel(settings.Judge, task);
            return roles;
        }
        catch
        {
            roles.Dispose();
            throw;
        }
    }

    /// <summary>The first of the models that judge, with its limits and the budget, for questions of the caller's own.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="known">A client that the program knows by name; null where it knows none of that name.</param>
    /// <param name="budget">What may be spent, to be shared or looked at; null for one of its own, as the settings say.</param>
    /// <returns>The client, for the caller to dispose.</returns>
    /// <exception cref="InvalidDataException">The settings name a model that nobody knows.</exception>
    /// <exception cref="InvalidOperationException">An environment variable for a key is not set.</exception>
    public static IChatClient OpenJudge(ChatSettings settings, Func<string, IChatClient?>? known = null, ChatBudget? budget = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ChatRoles roles = new(settings, known)
        {
            Budget = budget ?? new ChatBudget { MaxCalls = settings.MaxCalls, MaxTokens = settings.MaxTokens },
        };
        return roles.Client(settings.Judge.Ask[0], nameof(settings.Judge));
    }

    /// <summary>The model that enhances prompts, with its limits and the budget.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="known">A client that the program knows by name; null where it knows none of that name.</param>
    /// <returns>The client, for the caller to dispose, and the options of its requests; null for the server's own.</returns>
    /// <exception cref="InvalidDataException">The settings name a model that nobody knows.</exception>
    /// <exception cref="InvalidOperationException">An environment variable for a key is not set.</exception>
    public static (IChatClient Client, ChatOptions? Options) OpenEnhancer(ChatSettings settings, Func<string, IChatClient?>? known = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ChatRoles roles = new(settings, known) { Budget = new ChatBudget { MaxCalls = settings.MaxCalls, MaxTokens = settings.MaxTokens } };
        string name = settings.Enhancer ?? settings.Judge.Ask[0];
        return (roles.Client(name, nameof(settings.Enhancer)), roles.Options(name));
    }

    /// <summary>Disposes the clients.</summary>
    public void Dispose()
    {
        foreach (IChatClient client in _clients.Values)
        {
            client.Dispose();
        }
        _clients.Clear();
    }

    private IPairJudge Panel(JudgePanel panel, CurationTask task)
    {
        IPairJudge[] judges =
        [
            .. panel.Ask.Select(name => new PairJudge(Client(name, nameof(_settings.Judge)), task.Judging(new PairJudgeOptions(panel)
            {
                Name = name,
                Chat = Options(name),
            }))),
        ];
        return judges.Length == 1
            ? judges[0]
            : panel.Rule switch
            {
                JudgeRule.Unanimous => new VotingJudge(judges, VotingRule.Unanimous),
                // From the last one on: each judge is asked before all that follow it.
                JudgeRule.Cascade => judges.SkipLast(1).Reverse().Aggregate(judges[^1], (later, earlier) => new CascadeJudge(earlier, later, panel.Sure)),
                _ => new VotingJudge(judges),
            };
    }

    private ChatOptions? Options(string name) =>
        _settings.Models.TryGetValue(name, out ChatModel? model) && (model.Temperature is not null || model.MaxOutputTokens is not null)
        ? new ChatOptions { Temperature = model.Temperature, MaxOutputTokens = model.MaxOutputTokens }
        : null;

    private IChatClient Client(string name, string role)
    {
        if (_clients.TryGetValue(name, out IChatClient? client))
        {
            return client;
        }
        client = _settings.Models.TryGetValue(name, out ChatModel? model)
            ? new LimitedChatClient(model.Endpoint.CreateClient(), model.Limits(Budget))
            : _known?.Invoke(name) ?? throw new InvalidDataException(
                $"The settings name '{name}' as {role}, but describe "
                + $"{(_settings.Models.Count == 0 ? "no model" : $"only {string.Join(", ", _settings.Models.Keys.Select(k => $"'{k}'"))}")}.");
        _clients.Add(name, client);
        return client;
    }
}
