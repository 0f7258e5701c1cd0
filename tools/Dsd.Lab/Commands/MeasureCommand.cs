using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Lab.Measure;
using Dsd.Lab.Study;
using Dsd.Models.Families;
using Dsd.Onnx.Runtime;
using static TorchSharp.torch;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab measure</c>: CP and PF of adapters and exported models, on the study's cases.</summary>
internal static class MeasureCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string[]> loras = new("--lora")
        {
            Description = "An adapter; the model's own student if it is left out. It may be given several times; the others are compared with the first.",
            HelpName = "FILE",
            DefaultValueFactory = _ => [],
        };
        Option<string[]> exported = new("--onnx")
        {
            Description = "A student that 'dsd export' wrote, drawn with ONNX Runtime. It may be given several times; they come after the adapters.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => [],
        };
        Option<string?> onnxDevice = new Option<string?>("--onnx-device")
        {
            Description = "Where ONNX Runtime draws, cpu, cuda or cuda:N; as '--device' says if left out. It needs no CUDA of libtorch.",
            HelpName = "DEVICE",
        };
        onnxDevice.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } name && !DeviceOption.IsName(name))
            {
                result.AddError($"Option '--onnx-device' must be cpu, cuda or cuda:N, but is '{name}'.");
            }
        });
        Option<string> folder = new("--out")
        {
            Description = "The folder for measure.md, measure.json and the picture sheets.",
            HelpName = "FOLDER",
            Required = true,
        };
        Option<string> model = ModelOption.Create("a classifier");
        Option<string> device = DeviceOption.Create();
        Option<int?> subjects = new Option<int?>("--subjects")
        {
            Description = "The first held-out subjects of the study alone, 1 to 10000; as its config says if left out.",
            HelpName = "N",
        }.Between(1, 10_000);
        StudySizeOptions size = new("The quick study's cases: few, and drawn in few steps.");
        Command command = new("measure", "Measure CP and PF of adapters and exported models on the study's cases.")
        {
            loras, exported, folder, model, device, onnxDevice, subjects,
        };
        size.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            string into = parsed.GetRequiredValue(folder);
            WritablePlace.RequireFolder(into);
            DeviceOption.RequirePresent(parsed.GetRequiredValue(device));
            string[] folders = parsed.GetRequiredValue(exported);
            if (folders.Length == 0 && parsed.GetValue(onnxDevice) is not null)
            {
                throw new UsageException("'--onnx-device' is for drawing with ONNX Runtime, but there is no '--onnx'.");
            }
            string from = ModelPresets.Resolve(parsed.GetRequiredValue(model));
            AdapterMeasureOptions options = new()
            {
                OutFolder = into,
                AdapterFiles = [.. parsed.GetRequiredValue(loras), .. folders],
                ModelFolder = from,
                PanelSize = ModelPanels.Side(from),
                Device = new Device(parsed.GetRequiredValue(device)),
                Onnx = new OnnxRuntimeOptions().On(parsed.GetValue(onnxDevice) ?? parsed.GetRequiredValue(device)),
                ConfigFile = size.ConfigFile(parsed),
                Subjects = parsed.GetValue(subjects),
            };
            await Task.Run(() => AdapterMeasure.Run(options, terminal.Error.WriteLine, cancel), cancel);
            terminal.Output.WriteLine(Path.Combine(into, "measure.md"));
            return ExitCode.Done;
        });
        return command;
    }
}
