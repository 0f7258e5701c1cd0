using System.Globalization;
using Dsd.Models.Families;
using Dsd.Models.Sampling;
using Dsd.Models.Training.Planning;
using Dsd.Tools.Inspect;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tools.Doctor;

/// <summary>
/// The velocity that the whole model predicts for a fixed prompt, fixed noise and a fixed condition, as the device computes it, beside the CPU's in single
/// precision.
/// </summary>
/// <param name="request">What is looked at.</param>
internal sealed class VelocityCheck(DoctorRequest request)
{
    private const string Name = "velocity";
    private const string Prompt = "a photo of a cat";
    private const int Side = 128;
    private const float Sigma = 0.5f;
    private const float Guidance = 3.5f;

    // Relative norm of the difference. bfloat16 has 8 bits, and its errors add up over the blocks: with 12 billion random parameters both a GPU and a CPU were
    // 0.055 to 0.057 off. Two velocities that have nothing to do with each other differ by more than 1.
    private const double MostInBFloat16 = 0.15;

    // Weights, and what loading and a step take beside them.
    private const double Room = 1.15;

    /// <summary>Computes and compares.</summary>
    public Finding Run(FolderReport report, IProgress<Stage> stages, CancellationToken cancel)
    {
        bool gpu = request.Device != "cpu";
        long needed = (long)(report.Parameters * sizeof(float) * Room), free = DeviceMemory.Free(null);
        bool fits = needed <= free;
        if (!gpu && !fits)
        {
            return new Finding(
                Name, Finding.Skipped, $"in single precision the model takes {DeviceMemory.Gib(needed)}, and {DeviceMemory.Gib(free)} of the host's are free",
                "Look on a machine with more memory, or with '--device cuda'.");
        }
        try
        {
            float[]? exact = null;
            if (fits)
            {
                stages.Report(new Stage("the CPU in float32", 0));
                exact = Compute(new PipelineOptions { Device = CPU, DType = ScalarType.Float32, Loras = request.Loras });
            }
            cancel.ThrowIfCancellationRequested();
            if (!gpu)
            {
                return Judge(exact!, "on the CPU in float32");
            }
            stages.Report(new Stage($"{request.Device} in bfloat16", 0.5));
            float[] found = Compute(new PipelineOptions { Device = new Device(request.Device), DType = ScalarType.BFloat16, Loras = request.Loras });
            return exact is null
                ? Judge(found, $"on {request.Device} in bfloat16; not compared with float32, which takes {DeviceMemory.Gib(needed)} of the host's memory")
                : Compare(exact, found);
        }
        catch (Exception e) when (Finding.IsFault(e)
            || e is InvalidOperationException or NotSupportedException or System.Runtime.InteropServices.ExternalException)
        {
            return new Finding(Name, Finding.Failed, ErrorText.OneLine(e), "Mend what failed above first; else the device or its memory is at fault.");
        }
    }

    /// <summary>A velocity by itself.</summary>
    internal static Finding Judge(float[] velocity, string where)
    {
        int broken = velocity.Count(v => !float.IsFinite(v));
        double size = Math.Sqrt(velocity.Where(float.IsFinite).Average(v => (double)v * v));
        return broken > 0
            ? new Finding(
                Name, Finding.Failed, $"{broken} of {velocity.Length} numbers are not finite, {where}",
                "The weights are damaged ('--hashes' looks), or this device computes wrongly in this type.")
            : Finding.Well(Name, string.Create(CultureInfo.InvariantCulture, $"all {velocity.Length} numbers are finite, {size:0.000} large, {where}"));
    }

    /// <summary>A velocity beside the exact one.</summary>
    internal static Finding Compare(float[] exact, float[] found)
    {
        Finding alone = Judge(found, "in bfloat16");
        if (alone.Status != Finding.Ok)
        {
            return alone;
        }
        double difference = Math.Sqrt(exact.Zip(found, (a, b) => ((double)a - b) * ((double)a - b)).Sum() / exact.Sum(a => (double)a * a));
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"bfloat16 on the device differs from float32 on the CPU by {difference:0.0000} (relative norm, at most {MostInBFloat16})");
        return difference <= MostInBFloat16
            ? Finding.Well(Name, text)
            : new Finding(Name, Finding.Failed, text, "The device computes something else: check the driver, and try '--device cpu' and another GPU.");
    }

    private float[] Compute(PipelineOptions options)
    {
        using DiffusionModel model = DiffusionModel.LoadConditional(request.Folder, request.Release, options);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Canvas canvas = model.CanvasOf(Side, Side);
        using PromptEmbedding prompts = model.EncodePrompts([Prompt]);
        Tensor latents = model.FromTokens(Noise.Normal(1, canvas.LatentSize), canvas).to(options.DType);
        Tensor condition = model.FromTokens(Noise.Normal(2, canvas.LatentSize), canvas).to(options.DType);
        Tensor sigma = tensor(new[] { Sigma }, device: latents.device);
        Tensor velocity = model.Velocity(latents, condition, prompts, sigma, Guidance, canvas);
        return [.. velocity.to(ScalarType.Float32).cpu().data<float>()];
    }
}
