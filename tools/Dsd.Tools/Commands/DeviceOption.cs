using System.CommandLine;
using System.Text.RegularExpressions;
using TorchSharp;

namespace Dsd.Tools.Commands;

/// <summary>The option <c>--device</c> of commands that may compute on a GPU.</summary>
internal static partial class DeviceOption
{
    /// <summary>The option; the CPU if it is left out.</summary>
    public static Option<string> Create()
    {
        Option<string> device = new("--device") { Description = "cpu, cuda or cuda:N.", HelpName = "DEVICE", DefaultValueFactory = _ => "cpu" };
        device.Validators.Add(result =>
        {
            if (!DeviceName().IsMatch(result.GetValueOrDefault<string>()))
            {
                result.AddError($"Option '--device' must be cpu, cuda or cuda:N, but is '{result.GetValueOrDefault<string>()}'.");
            }
        });
        return device;
    }

    /// <summary>Refuses a device that this machine does not have.</summary>
    /// <exception cref="UsageException">CUDA is asked for, but there is none.</exception>
    public static void RequirePresent(string device)
    {
        if (device != "cpu" && !torch.cuda.is_available())
        {
            throw new UsageException("Option '--device' asks for CUDA, but this machine or this build has none. Leave it out to use the CPU.");
        }
    }

    [GeneratedRegex(@"^(cpu|cuda(:\d{1,2})?)$")]
    private static partial Regex DeviceName();
}
