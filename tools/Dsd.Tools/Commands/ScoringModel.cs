using System.CommandLine;
using Dsd.Curation.Chat;
using Dsd.Curation.Presets;
using Dsd.Tiny;
using Microsoft.Extensions.AI;

namespace Dsd.Tools.Commands;

/// <summary>The chat model that scores pictures: the first that judges in a file of chat models, or the embedded evaluator.</summary>
/// <param name="Client">The model, with its limits.</param>
/// <param name="Name">What it is called in results and ledgers.</param>
/// <param name="Options">Temperature and bound of its answers.</param>
/// <param name="DependsOn">All that its answers depend on, beside the questions.</param>
/// <param name="Budget">What may be spent on it.</param>
internal sealed record ScoringModel(IChatClient Client, string Name, ChatOptions Options, string DependsOn, ChatBudget Budget) : IDisposable
{
    /// <summary>The option that names the file.</summary>
    public static Option<string?> Option(string what) => new("--chat")
    {
        Description = $"A JSON file with the chat models, as for 'dsd curate run'; the first that judges is asked {what}. Left out: the embedded evaluator, "
            + "which knows the embedded model's world only.",
        HelpName = "FILE.json",
    };

    /// <summary>Opens it.</summary>
    /// <param name="file">The file of chat models; null for the embedded evaluator.</param>
    /// <exception cref="InvalidDataException">The file is wrong, or names a model that nobody knows.</exception>
    /// <exception cref="InvalidOperationException">An environment variable for a key is not set.</exception>
    public static ScoringModel Open(string? file) => Open(file, [])[0];

    /// <summary>Opens several, which share the file's budget.</summary>
    /// <param name="file">The file of chat models; null for the embedded evaluator.</param>
    /// <param name="names">What the models are called in the file; none for the first that judges.</param>
    /// <inheritdoc cref="Open(string?)"/>
    public static IReadOnlyList<ScoringModel> Open(string? file, IReadOnlyList<string> names)
    {
        ChatSettings settings = file is null ? ChatSettings.Only(TinyModel.Name) : ChatSettings.Load(file);
        ChatBudget budget = new() { MaxCalls = settings.MaxCalls, MaxTokens = settings.MaxTokens };
        List<ScoringModel> opened = [];
        try
        {
            foreach (string name in names.Count > 0 ? names : [settings.Judge.Ask[0]])
            {
                ChatSettings one = settings with { Judge = settings.Judge with { Ask = [name] } };
                ChatModel? model = settings.Models.GetValueOrDefault(name);
                opened.Add(new ScoringModel(
                    ChatRoles.OpenJudge(one, known => CurationPresets.Find(known)?.Evaluator?.Invoke(), budget),
                    name,
                    new ChatOptions { Temperature = model?.Temperature ?? 1, MaxOutputTokens = model?.MaxOutputTokens },
                    // Scores stay as they are whatever else the file describes.
                    (ChatSettings.Only(name) with { Models = model is null ? [] : new Dictionary<string, ChatModel> { [name] = model } }).Fingerprint(),
                    budget));
            }
            return opened;
        }
        catch
        {
            opened.ForEach(model => model.Dispose());
            throw;
        }
    }

    public void Dispose() => Client.Dispose();
}
