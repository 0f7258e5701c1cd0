using Dsd.Models.Native;
using TorchSharp;
using Xunit;

namespace Dsd.Testing;

/// <summary>A test for a CUDA device; elsewhere it is skipped and says why. Mark its class with the trait Category=Gpu.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class GpuFactAttribute : FactAttribute
{
    public GpuFactAttribute()
    {
        // Tests are found before anything else touches Dsd.Models.
        TorchLibrary.Register();
        Skip = torch.cuda.is_available() ? null : "Needs a CUDA device and libtorch's CUDA build; this process has none.";
    }
}
