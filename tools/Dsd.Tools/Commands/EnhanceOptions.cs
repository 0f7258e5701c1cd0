using System.CommandLine;
using Dsd.Curation.Chat;
using Dsd.Curation.Enhancing;
using Dsd.Curation.Presets;
using Dsd.Imaging;
using Dsd.Tiny;
using Microsoft.Extensions.AI;

namespace Dsd.Tools.Commands;

/// <summary>The options that have a model write the prompt again before a picture is drawn.</summary>
internal sealed class EnhanceOptions
{
    private readonly Option<bool> _enhance = new("--enhance")
    {
        Description = "Have a model that sees the reference write the prompt again, so that it names the subject. If it fails, the prompt stays as it is.",
    };
    private readonly Option<string?> _chat = new("--chat")
    {
        Description = "With '--enhance': a JSON file with the chat models, as for 'dsd curate run'; its 'enhancer' is asked, else the first that judges. Left "
            + "out: the embedded enhancer, which knows the embedded model's world only.",
        HelpName = "FILE.json",
    };
    private readonly Option<string?> _instructions = new("--enhance-instructions")
    {
        Description = "With '--enhance': a text file with instructions to the model in place of the built-in ones.",
        HelpName = "FILE",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_enhance);
        command.Options.Add(_chat);
        command.Options.Add(_instructions);
    }

    /// <summary>The prompt to draw with.</summary>
    /// <exception cref="UsageException">The options contradict each other.</exception>
    /// <exception cref="InvalidDataException">The file of chat models is wrong, or names a model that nobody knows.</exception>
    public async Task<string> PromptAsync(ParseResult parsed, string prompt, Picture? reference, Terminal terminal, CancellationToken cancel)
    {
        (string? chat, string? instructions) = (parsed.GetValue(_chat), parsed.GetValue(_instructions));
        if (!parsed.GetValue(_enhance))
        {
            return chat is null && instructions is null
                ? prompt
                : throw new UsageException($"Option '{(chat is null ? _instructions : _chat).Name}' is for '--enhance', which is not given.");
        }
        if (reference is null)
        {
            throw new UsageException("'--enhance' looks at the reference, but there is no '--image'.");
        }
        ChatSettings settings = chat is null ? ChatSettings.Only(TinyModel.Name) : ChatSettings.Load(chat);
        (IChatClient client, ChatOptions? options) = ChatRoles.OpenEnhancer(settings, known => CurationPresets.Find(known)?.Enhancer?.Invoke());
        using (client)
        {
            PromptEnhancer enhancer = new(client, new PromptEnhancerOptions { Chat = options, InstructionsFile = instructions });
            EnhancedPrompt enhanced = await enhancer.EnhanceAsync(prompt, reference, cancel).ConfigureAwait(false);
            if (enhanced.Failure is { } failure)
            {
                terminal.Warn(failure);
            }
            else
            {
                terminal.Error.WriteLine($"prompt: {Printable.Line(enhanced.Prompt)}");
            }
            return enhanced.Prompt;
        }
    }
}
