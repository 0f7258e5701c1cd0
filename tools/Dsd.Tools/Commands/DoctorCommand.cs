using System.CommandLine;
using System.Text.Json;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Tiny;
using Dsd.Tools.Doctor;
using Dsd.Tools.Inspect;
using Spectre.Console;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd doctor</c>: whether a model, a release, adapters and this machine fit together.</summary>
internal sealed class DoctorCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    // A list of all tensors that do not fit is for '--json'.
    private const int MostShown = 400;

    private readonly Terminal _terminal;
    private readonly Option<string> _model = new("--model")
    {
        Description = $"The model: a pipeline folder in diffusers' layout, or '{TinyModel.Name}', the embedded one.",
        HelpName = $"FOLDER|{TinyModel.Name}",
        Required = true,
    };
    private readonly Option<string?> _release = new("--dsd")
    {
        Description = "A release of Diffusion Self-Distillation, whose transformer takes the place of the model's.",
        HelpName = "FOLDER",
    };
    private readonly LorasOption _loras = new();
    private readonly Option<string> _device = DeviceOption.Create();
    private readonly Option<bool> _hashes = new("--hashes")
    {
        Description = "Read all weights, and compare their SHA-256 with what Hugging Face's client noted when it fetched them.",
    };
    private readonly Option<bool> _quick = new("--quick") { Description = "Read headers and configs alone: no velocity is computed." };
    private readonly Option<bool> _json = new("--json") { Description = "Write the checks as one JSON object." };

    private DoctorCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        DoctorCommand doctor = new(terminal);
        Command command = new("doctor", "Say whether model, release, adapters and this machine fit together, and what to do where they do not.")
        {
            doctor._model, doctor._release, doctor._device, doctor._hashes, doctor._quick, doctor._json,
        };
        foreach (Option option in doctor._loras.Options)
        {
            command.Options.Add(option);
        }
        command.SetAction((parsed, cancel) => Task.Run(() => doctor.Run(parsed, cancel), cancel));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancel)
    {
        string model = parsed.GetRequiredValue(_model);
        string? release = parsed.GetValue(_release);
        LoraUse[] loras = _loras.Of(parsed);
        ModelPreset preset = ModelPresets.Of(model);
        DoctorRequest request = new()
        {
            Model = model,
            Folder = ModelPresets.Resolve(preset),
            Release = release,
            Loras = loras.Length == 0 && release is null && preset.AdapterFile is { } own ? [new LoraUse(own)] : loras,
            Device = parsed.GetRequiredValue(_device),
            Hashes = parsed.GetValue(_hashes),
            Computes = !parsed.GetValue(_quick),
        };
        List<Finding> findings = [];
        _terminal.Track("looking", stages => findings = Look(request, stages, cancel));
        if (parsed.GetValue(_json))
        {
            var report = new { model, device = request.Device, failed = Count(Finding.Failed), checks = findings };
            _terminal.Output.WriteLine(JsonSerializer.Serialize(report, Json));
        }
        else
        {
            Print(findings);
            _terminal.Error.WriteLine(
                $"{Count(Finding.Failed)} failed, {Count(Finding.Warning)} warnings, {Count(Finding.Ok)} well, {Count(Finding.Skipped)} skipped");
        }
        return Count(Finding.Failed) > 0 ? ExitCode.Failed : ExitCode.Done;

        int Count(string status) => findings.Count(f => f.Status == status);
    }

    private static List<Finding> Look(DoctorRequest request, IProgress<Stage> stages, CancellationToken cancel)
    {
        FolderChecks folder = new(request);
        MachineChecks machine = new(request);
        (IReadOnlyList<Finding> files, FolderReport? report) = folder.Files();
        List<Finding> findings = [.. files];
        // Another model's tokenizers make other pictures, but no other check depends on them.
        IReadOnlyList<Finding> tokenizers = report is null ? [] : [.. TokenizerChecks.Of(request.Folder)];
        if (report is not null)
        {
            findings.AddRange(folder.Weights());
            findings.AddRange(tokenizers);
            findings.AddRange(folder.Adapters());
            if (request.Hashes)
            {
                findings.AddRange(folder.Hashes(stages, cancel));
            }
        }
        cancel.ThrowIfCancellationRequested();
        findings.AddRange(machine.Libraries());
        if (report is null)
        {
            return findings;
        }
        findings.AddRange(machine.Memory(report));
        findings.Add(MachineChecks.Disk(report));
        findings.Add(!request.Computes
            ? new Finding("velocity", Finding.Skipped, "'--quick' was given", "")
            : findings.Except(tokenizers).Any(f => f.Status == Finding.Failed)
                ? new Finding("velocity", Finding.Skipped, "something failed before", "Mend what failed above first.")
                : new VelocityCheck(request).Run(report, stages, cancel));
        return findings;
    }

    private void Print(List<Finding> findings)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumn("check").AddColumn("status").AddColumn("found").AddColumn("what to do");
        foreach (Finding finding in findings)
        {
            table.AddRow(
                Markup.Escape(Printable.Line(finding.Name)), finding.Status, Markup.Escape(Printable.Line(finding.Found, MostShown)),
                Markup.Escape(Printable.Line(finding.Advice)));
        }
        _terminal.Results.Write(table);
    }
}
