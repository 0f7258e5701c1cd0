using System.CommandLine;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd completion</c>: what a shell needs to suggest commands, options and words. The suggestions are the parser's own.</summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            # Add to ~/.bashrc:  source <(dsd completion bash)
            _dsd_complete() {
                local IFS=$'\n' word="${COMP_WORDS[COMP_CWORD]}"
                COMPREPLY=($(compgen -W "$(dsd "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "$word"))
            }
            complete -o default -F _dsd_complete dsd
            """,
        ["zsh"] = """
            # Add to ~/.zshrc, behind compinit:  source <(dsd completion zsh)
            _dsd_complete() {
                local -a found
                found=("${(@f)$(dsd "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
                if [[ -n "${found[1]}" ]]; then compadd -a found; else _files; fi
            }
            compdef _dsd_complete dsd
            """,
        ["pwsh"] = """
            # Add to $PROFILE:  dsd completion pwsh | Out-String | Invoke-Expression
            Register-ArgumentCompleter -Native -CommandName dsd -ScriptBlock {
                param($word, $line, $position)
                dsd "[suggest:$position]" "$line" 2>$null |
                    Where-Object { $_ -like "$word*" } |
                    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
            }
            """,
    };

    public static Command Create(Terminal terminal)
    {
        Argument<string> shell = new("SHELL") { Description = $"{string.Join(", ", Scripts.Keys)}." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        Command command = new("completion", "Write the script with which a shell completes this program's commands, options and their words.") { shell };
        command.SetAction(parsed =>
        {
            terminal.Output.WriteLine(Scripts[parsed.GetRequiredValue(shell)]);
            return ExitCode.Done;
        });
        return command;
    }
}
