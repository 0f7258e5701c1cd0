using System.CommandLine;
using Dsd.Models.Lora;
using Dsd.Onnx.Export;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd merge</c>: adapters into a model that was exported already.</summary>
internal sealed class MergeCommand
{
    // The transformer, its modulation, and CLIP at most.
    private const int Parts = 3;

    private readonly Terminal _terminal;

    private readonly Option<string> _model = new("--onnx")
    {
        Description = "A folder that 'dsd export' wrote, best without an adapter. It stays as it is.",
        HelpName = "FOLDER",
        Required = true,
    };
    private readonly LorasOption _loras = new(isRequired: true);
    private readonly Option<string> _folder = new("--out") { Description = "The folder to write.", HelpName = "FOLDER", Required = true };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace an earlier export there." };

    private MergeCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        MergeCommand merge = new(terminal);
        Command command = new("merge", "Merge adapters into an exported model.") { merge._model, merge._folder, merge._overwrite };
        foreach (Option option in merge._loras.Options)
        {
            command.Options.Add(option);
        }
        command.SetAction(async (parsed, cancel) =>
        {
            await Task.Run(() => merge.Run(parsed, cancel), cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private void Run(ParseResult parsed, CancellationToken cancel)
    {
        LoraUse[] loras = _loras.Of(parsed);
        (string model, string target) = (parsed.GetRequiredValue(_model), parsed.GetRequiredValue(_folder));
        OnnxMergeOptions options = new() { Overwrite = parsed.GetValue(_overwrite), Warn = _terminal.Warn };
        OnnxTarget.Require(target, options.Overwrite);
        _terminal.Track("merging", stages => OnnxMerger.Merge(model, loras, target, options, cancel, new PartProgress(stages, Parts)));
        _terminal.Output.WriteLine(target);
    }
}
