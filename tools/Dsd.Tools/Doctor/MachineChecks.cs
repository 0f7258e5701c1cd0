using System.Globalization;
using Dsd.Models.Families;
using Dsd.Models.Native;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Planning;
using Dsd.Models.Weights;
using Dsd.Tools.Benchmark;
using Dsd.Tools.Inspect;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tools.Doctor;

/// <summary>What this machine has: device, driver, CUDA of both libraries, memory and what fits it, room on the disk.</summary>
/// <param name="request">What is looked at.</param>
internal sealed class MachineChecks(DoctorRequest request)
{
    // What a drawing of 512 × 512 pixels took beyond the weights (docs/decisions/memory-modes.md).
    private const double DrawingGb = 2.6;

    private bool OnGpu => request.Device != "cpu";

    private int Gpu => request.Device.Length > 5 ? int.Parse(request.Device.AsSpan(5), CultureInfo.InvariantCulture) : 0;

    /// <summary>Device, driver and libraries.</summary>
    public IEnumerable<Finding> Libraries()
    {
        (int Major, int Minor)? driver = CudaLibraries.Driver();
        if (!OnGpu)
        {
            yield return Finding.Well("device", $"the processor: {DeviceName.Of(null)}");
            yield return new Finding(
                "driver", Finding.Skipped, driver is { } there ? $"NVIDIA's driver runs CUDA up to {there.Major}.{there.Minor}" : "no GPU was asked for",
                driver is null ? "" : "Add '--device cuda' to look at the GPU.");
        }
        else
        {
            TorchLibrary.Register();
            bool found = torch.cuda.is_available() && Gpu < torch.cuda.device_count();
            yield return found
                ? Finding.Well("device", DeviceName.Of(Gpu) ?? request.Device)
                : new Finding(
                    "device", Finding.Failed, $"libtorch finds {(torch.cuda.is_available() ? $"{torch.cuda.device_count()} GPUs" : "no CUDA device")}",
                    "Build with -p:DsdTorchCuda=true, check that 'nvidia-smi' lists the GPU, or use '--device cpu'.");
            yield return driver is { } runs
                ? Finding.Well("driver", $"NVIDIA's driver runs CUDA up to {runs.Major}.{runs.Minor}")
                : new Finding("driver", Finding.Failed, "NVIDIA's driver library (libcuda.so.1) is not there", "Install NVIDIA's driver.");
        }
        (int? torchMajor, int? onnxMajor) = (CudaLibraries.Torch, CudaLibraries.OnnxRuntime);
        yield return Library("libtorch", torchMajor, driver, "-p:DsdTorchCuda=true");
        yield return Library("ONNX Runtime", onnxMajor, driver, "-p:DsdOnnxCuda=true");
        if (torchMajor is { } one && onnxMajor is { } other && one != other)
        {
            yield return new Finding(
                "CUDA of both libraries", Finding.Warning, $"libtorch is built for CUDA {one}, ONNX Runtime for CUDA {other}",
                "Each needs the cuDNN of its own CUDA, so do not use both on the GPU in one process: 'dsd run --separate' gives each stage its own.");
        }
    }

    /// <summary>Memory, and what fits it.</summary>
    /// <param name="report">What the folder holds.</param>
    public IEnumerable<Finding> Memory(FolderReport report)
    {
        if (OnGpu && CudaLibraries.Driver() is null)
        {
            yield return new Finding("memory", Finding.Skipped, "without a driver nobody knows", "See 'driver' above.");
            yield break;
        }
        Device device = new(request.Device);
        long free;
        Finding? refused = null;
        try
        {
            free = DeviceMemory.Free(OnGpu ? device : null);
        }
        catch (Exception e) when (e is InvalidOperationException or DllNotFoundException or EntryPointNotFoundException)
        {
            free = 0;
            refused = new Finding("memory", Finding.Failed, ErrorText.OneLine(e), "See 'device' and 'driver' above.");
        }
        if (refused is not null)
        {
            yield return refused;
            yield break;
        }
        yield return Finding.Well("memory", $"{DeviceMemory.Gib(free)} are free on {(OnGpu ? "the GPU" : "the host")}");
        yield return Guarded("memory: drawing", name => Drawing(name, report, free));
        yield return Guarded("memory: training", name => Training(name, device, free));
    }

    /// <summary>Room on the disk for an export of the model.</summary>
    /// <param name="report">What the folder holds.</param>
    public static Finding Disk(FolderReport report)
    {
        string here = Directory.GetCurrentDirectory();
        DriveInfo drive = new(here);
        long export = report.Parameters * 2;
        string found = $"{Printable.Bytes(drive.AvailableFreeSpace)} are free in '{here}'; an export in 16 bits takes {Printable.Bytes(export)}";
        return drive.AvailableFreeSpace >= export
            ? Finding.Well("disk", found)
            : new Finding("disk", Finding.Warning, found, "Export to another disk ('--out'), in fewer bits ('--precision int8' or 'int4'), or make room.");
    }

    private static Finding Library(string name, int? major, (int Major, int Minor)? driver, string build) => major is not { } cuda
        ? new Finding($"CUDA: {name}", Finding.Skipped, "the build for the CPU", driver is null ? "" : $"For the GPU, build with {build}.")
        : driver is { } runs && runs.Major < cuda
            ? new Finding(
                $"CUDA: {name}", Finding.Failed, $"built for CUDA {cuda}, and the driver runs CUDA up to {runs.Major}.{runs.Minor}",
                "Install a newer driver of NVIDIA's.")
            : Finding.Well($"CUDA: {name}", $"built for CUDA {cuda}");

    private Finding Drawing(string name, FolderReport report, long free)
    {
        (ModelFamily family, ModelFolder folder) = ModelFamilies.Open(request.Folder);
        TrainingLoad? load = family.Outline(
            folder, new ModelSource(request.Folder) { ReleaseFolder = request.Release, Conditional = true }, new PipelineOptions()).Training;
        long bytes = OnGpu ? 2 : 4, work = (long)(DrawingGb * 1e9);
        List<(string Words, long Bytes)> settings = [(OnGpu ? "--memory resident" : "single precision", report.Parameters * bytes)];
        if (OnGpu && load is not null)
        {
            settings.Add(("--memory idle-on-host", (load.BlockWeights + load.EndWeights) * bytes));
            settings.Add(("--memory idle-on-host --float8", load.BlockWeights + load.EndWeights * bytes));
            settings.Add(("--memory streamed", (load.PlaceWeights + load.EndWeights) * bytes));
        }
        // A small model's work is small too.
        long Needs(long weights) => weights + Math.Min(work, weights);
        string all = string.Join(", ", settings.Select(s => $"{DeviceMemory.Gib(Needs(s.Bytes))} with {s.Words}"));
        return settings.FirstOrDefault(s => Needs(s.Bytes) <= free) is { Words: { } words }
            ? Finding.Well(name, $"{words} fits: about {all}")
            : new Finding(
                name, Finding.Failed, $"no setting fits: about {all}",
                OnGpu ? "Free memory on the GPU, or take a GPU with more." : "Free memory, take a machine with more, or export in fewer bits.");
    }

    private Finding Training(string name, Device device, long free)
    {
        TrainingBase training = new() { Device = device };
        (TrainingPlan chosen, IReadOnlyList<TrainingPlan> plans) = TrainingModel.Plan(request.Folder, ModelPresets.Of(request.Model).Training, training);
        string all = string.Join(", ", plans.Select(p => $"{p.Setting.Name} {DeviceMemory.Gib(p.MemoryBytes)}"));
        return chosen.MemoryBytes <= free
            ? Finding.Well(name, $"--setting {chosen.Setting.Name} fits; {all} ('dsd train --plan' says it for other options)")
            : new Finding(
                name, Finding.Warning, $"more than is free: {all}", "A lower '--rank', fewer '--targets', smaller frames or '--optimizer adamw8' take less.");
    }

    private static Finding Guarded(string name, Func<string, Finding> check)
    {
        try
        {
            return check(name);
        }
        catch (InvalidOperationException e)
        {
            return new Finding(name, Finding.Warning, ErrorText.OneLine(e), "Take a GPU with more memory, or options that need less.");
        }
        catch (Exception e) when (Finding.IsFault(e))
        {
            return new Finding(name, Finding.Skipped, ErrorText.OneLine(e), "Mend what failed above first.");
        }
    }
}
