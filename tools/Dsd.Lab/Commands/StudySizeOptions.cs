using System.CommandLine;
using Dsd.Lab.Study;

namespace Dsd.Lab.Commands;

/// <summary>The options that say which of the study's configs is used.</summary>
internal sealed class StudySizeOptions(string quickDescription)
{
    private readonly Option<bool> _quick = new("--quick") { Description = quickDescription };
    private readonly Option<string?> _config = new("--config") { Description = "A study config in place of the full or the quick one.", HelpName = "FILE" };

    /// <summary>Adds the options to a command, which refuses both at once.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_quick);
        command.Options.Add(_config);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_quick) && result.GetValue(_config) is not null)
            {
                result.AddError("Options '--quick' and '--config' exclude each other: both say which sizes to use.");
            }
        });
    }

    /// <summary>The config's file; null for the full study's.</summary>
    public string? ConfigFile(ParseResult parsed) => parsed.GetValue(_config) ?? (parsed.GetValue(_quick) ? StudyConfig.QuickFile : null);
}
