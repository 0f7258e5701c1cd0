using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Native;

/// <summary>Where the numbers of a tensor lie. TorchSharp's own library tells it, but its C# side tells addresses of the CPU's memory only.</summary>
internal static partial class TensorMemory
{
    private const string Shim = "LibTorchSharp";

    // TorchSharp finds its library in ways of its own; here it is the one that it found.
    static TensorMemory() => NativeLibrary.SetDllImportResolver(
        typeof(TensorMemory).Assembly, (name, _, _) => name == Shim ? NativeLibrary.Load(Shim, typeof(torch).Assembly, null) : CudaDriver.Resolve(name));

    /// <summary>The address of a tensor's first number, on the CPU or on a GPU.</summary>
    public static long Address(Tensor tensor) => THSTensor_data(tensor.Handle);

    [LibraryImport(Shim)]
    private static partial long THSTensor_data(IntPtr tensor);
}
