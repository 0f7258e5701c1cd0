using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Models.Families;
using Dsd.Tools.Inspect;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd inspect</c>: what is in a file or folder, from headers and configs alone, but for adapters, which the loader is asked about.</summary>
internal static class InspectCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // A config or an adapter may say anything: a number beyond all bounds is written as text.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public static Command Create(Terminal terminal)
    {
        Argument<string> path = new(
            "PATH")
        {
            Description = "A safetensors file, an index of shards, a model folder in diffusers' layout, a folder of exported ONNX models or of an exported "
                + "encoder, an ONNX file, or 'tiny' for the embedded model."
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object to standard output." };
        Option<bool> all = new("--all") { Description = "List each tensor, where the default puts repeated blocks together." };
        Option<bool> verify = new("--verify")
        {
            Description = "Read every file of a folder of exported ONNX models, and compare lengths, hashes and the places of weights with what the "
                + "folder says.",
        };
        Command command = new("inspect", "Say what a model file or folder holds.") { path, json, all, verify };
        command.SetAction(async (parsed, cancel) =>
        {
            await Task.Run(
                () => Inspect(terminal, parsed.GetRequiredValue(path), parsed.GetValue(json), parsed.GetValue(all), parsed.GetValue(verify), cancel), cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Inspect(Terminal terminal, string path, bool json, bool all, bool verify, CancellationToken cancel)
    {
        ReportPrinter printer = new(terminal.Results);
        path = !Path.Exists(path) && ModelPresets.Find(path) is { } preset ? ModelPresets.Resolve(preset) : path;
        string? manifest = OnnxFolderReader.ManifestOf(path);
        if (verify && manifest is null && Path.Exists(path))
        {
            throw new UsageException(
                $"--verify is for a folder of exported ONNX models, and '{path}' is none: there is no {OnnxFolderReader.Manifest} and no "
                    + $"{OnnxFolderReader.EncoderManifest} in it.");
        }
        if (Directory.Exists(path))
        {
            if (all)
            {
                throw new UsageException($"--all lists the tensors of a file, and '{path}' is a folder.");
            }
            if (manifest is not null)
            {
                OnnxVerification? verified = null;
                if (verify)
                {
                    terminal.Track("verifying", stages => verified = OnnxFolderVerifier.Verify(path, manifest, stages, cancel));
                }
                OnnxFolderReport models = OnnxFolderReader.Read(path, manifest) with { Verified = verified };
                Write(terminal, json, models, () => printer.Print(models));
            }
            else
            {
                FolderReport report = new FolderReader(path).Read();
                Write(terminal, json, report, () => printer.Print(report));
            }
        }
        else if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) && File.Exists(path))
        {
            if (all)
            {
                throw new UsageException($"--all lists the tensors of a safetensors file, and '{path}' is an ONNX file.");
            }
            OnnxModelReport report = OnnxFile.Read(path);
            Write(terminal, json, report, () => printer.Print(report));
        }
        else if (File.Exists(path))
        {
            WeightsReport report = WeightsReport.Read(path, all);
            Write(terminal, json, report, () => printer.Print(report, all));
        }
        else
        {
            throw new FileNotFoundException($"'{path}': expected a file or folder, found nothing there.");
        }
    }

    private static void Write<T>(Terminal terminal, bool json, T report, Action print)
    {
        if (json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(report, Json));
        }
        else
        {
            print();
        }
    }
}
