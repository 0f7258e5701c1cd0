using System.Globalization;
using Dsd.Common.Files;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Tiny;

namespace Dsd.MLNet.Execution;

/// <summary>Exports with Dsd.Onnx and draws through ONNX Runtime.</summary>
internal sealed class OnnxBackend : IOnnxBackend
{
    public void Check(DsdGeneratorOptions options, bool tuned)
    {
        if (options.Torch is null)
        {
            OnnxPipeline.RequireProvider(Runtime(options));
            if (options.OnnxFolder is { } folder)
            {
                OnnxExporter.CheckTarget(folder, new OnnxExportOptions { Overwrite = true });
            }
            else
            {
                ScratchFolder.Require();
            }
        }
        Library.CheckStudent(options, tuned);
    }

    public void Export(DsdGeneratorOptions options, string? loraFile, string folder, CancellationToken cancellationToken)
    {
        string model = TinyModel.Resolve(options.Model);
        // Said before gigabytes are written.
        Library.RequireCondition(options, model, loraFile is not null);
        DsdOptions frame = ModelDefaults.Frame(options);
        OnnxExporter.Export(
            model,
            loraFile,
            folder,
            new OnnxExportOptions { ReleaseFolder = options.ReleaseFolder, FrameWidth = frame.Width, FrameHeight = frame.Height, Overwrite = true, LoraTextEncoders = LoraTextEncoders.Apply },
            cancellationToken);
    }

    public string? MergedLora(string folder) => Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() ? OnnxModelFolder.Open(folder).Lora : null;

    public IDsdModel Open(string folder, DsdGeneratorOptions options, Action<string> warn)
    {
        OnnxPipeline pipeline = OnnxPipeline.Open(folder, Runtime(options) with { Warn = warn });
        if (!pipeline.Folder.IsConditional)
        {
            pipeline.Dispose();
            throw NeedsAdapter(options);
        }
        return pipeline;
    }

    internal static InvalidOperationException NeedsAdapter(DsdGeneratorOptions options) => new(
        $"Model '{options.Model}' takes no reference picture: it is a plain text-to-image model without an adapter that adds one. Put a {nameof(LoraFineTuner)} before the {nameof(DsdGenerator)}, or set the option {nameof(DsdGeneratorOptions.LoraFile)} or {nameof(DsdGeneratorOptions.ReleaseFolder)}.");

    private static OnnxRuntimeOptions Runtime(DsdGeneratorOptions options)
    {
        string[] device = options.Device.Split(':');
        return new OnnxRuntimeOptions
        {
            Provider = device[0] == "cuda" ? OnnxProvider.Cuda : OnnxProvider.Cpu,
            Device = device.Length == 2 ? int.Parse(device[1], CultureInfo.InvariantCulture) : 0,
        };
    }
}
