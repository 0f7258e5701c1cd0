using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Dsd.Models.Native;
using TorchSharp;

namespace Dsd.CommandLine.Options;

/// <summary>The option <c>--device</c> of commands that may compute on a GPU.</summary>
public static partial class DeviceOption
{
    private const string Form = "cpu, cuda or cuda:N";

    // What a shell suggests, of those that a command takes.
    private static readonly string[] Names = ["cpu", "cuda", "tensorrt", "directml", "coreml", "webgpu"];

    /// <summary>The option; the CPU if it is left out.</summary>
    /// <param name="several">Whether several devices may be named.</param>
    public static Option<string> Create(bool several = false)
    {
        return several
            ? Create(
                $"{Form}, or several with commas between",
                text => text.Split(',') is var names && names.All(IsName) && names.Distinct().Count() == names.Length)
            : Create(Form, IsName);
    }

    /// <summary>The option for a command that takes other devices too.</summary>
    /// <param name="form">What may be given, in words.</param>
    /// <param name="isValid">Whether a text is of that form.</param>
    public static Option<string> Create(string form, Func<string, bool> isValid)
    {
        Option<string> device = new("--device") { Description = $"{form}.", HelpName = "DEVICE", DefaultValueFactory = _ => "cpu" };
        device.Validators.Add(result =>
        {
            if (!isValid(result.GetValueOrDefault<string>()))
            {
                result.AddError($"Option '--device' must be {form}, but is '{result.GetValueOrDefault<string>()}'.");
            }
        });
        string[] names = [.. Names.Where(isValid)];
        device.CompletionSources.Add(names);
        return device;
    }

    /// <summary>Whether a word is the name of one device: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public static bool IsName(string name) => DeviceName().IsMatch(name);

    /// <summary>Refuses a device that this machine does not have.</summary>
    /// <exception cref="UsageException">CUDA is asked for, but there is none.</exception>
    public static void RequirePresent(string device)
    {
        // TorchSharp is asked here, perhaps before any type of Dsd.Models has been touched.
        TorchLibrary.Register();
        string[] gpus = [.. device.Split(',').Where(name => name != "cpu")];
        if (gpus.Length > 0 && !torch.cuda.is_available())
        {
            throw new UsageException(
                "Option '--device' asks for CUDA, but libtorch finds no CUDA device. Build with -p:DsdTorchCuda=true and check the driver, or leave it "
                    + "out to use the CPU.");
        }
        if (gpus.FirstOrDefault(name => name.Length > 5 && int.Parse(name.AsSpan(5), CultureInfo.InvariantCulture) >= torch.cuda.device_count()) is { } beyond)
        {
            throw new UsageException($"Option '--device' asks for {beyond}, but the last GPU of this machine is cuda:{torch.cuda.device_count() - 1}.");
        }
    }

    [GeneratedRegex(@"^(cpu|cuda(:[0-9]{1,2})?)\z")]
    private static partial Regex DeviceName();
}
