using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Planning;

/// <summary>How fast a GPU is, as far as a plan's seconds depend on it.</summary>
/// <param name="OperationsPerSecond">Multiplications and additions a second in a large product.</param>
/// <param name="HostBytesPerSecond">Bytes a second from the host's pinned memory.</param>
public readonly record struct DeviceSpeed(double OperationsPerSecond, double HostBytesPerSecond)
{
    private const long Side = 8192;
    private const int Repeats = 8;

    /// <summary>Measures it, in less than a second. Null on the CPU, whose steps nobody has compared with it.</summary>
    /// <param name="device">The device. Null is the CPU.</param>
    /// <param name="dtype">The type of the products. Null is bfloat16.</param>
    public static DeviceSpeed? Measure(Device? device, ScalarType? dtype = null)
    {
        if (device is not { type: DeviceType.CUDA } gpu)
        {
            return null;
        }
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor a = randn([Side, Side], dtype ?? ScalarType.BFloat16, gpu);
        Tensor host = zeros([Side * Side], ScalarType.BFloat16).pin_memory();
        double product = Seconds(() => a.mm(a).Dispose());
        double copy = Seconds(() => host.to(gpu, non_blocking: true).Dispose());
        return new DeviceSpeed(2.0 * Side * Side * Side / product, 2.0 * Side * Side / copy);

        double Seconds(Action run)
        {
            run();
            cuda.synchronize(gpu);
            Stopwatch watch = Stopwatch.StartNew();
            for (int i = 0; i < Repeats; i++)
            {
                run();
            }
            cuda.synchronize(gpu);
            return watch.Elapsed.TotalSeconds / Repeats;
        }
    }
}
