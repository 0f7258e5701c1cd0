using Dsd.Models.Native;
using TorchSharp;
using Xunit;

namespace Dsd.Testing;

/// <summary>A test for several CUDA devices; elsewhere it is skipped and says why. Mark its class with the trait Category=Gpu.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class GpusFactAttribute : FactAttribute
{
    public GpusFactAttribute(int count)
    {
        // Tests are found before anything else touches Dsd.Models.
        TorchLibrary.Register();
        int found = torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        Skip = found >= count ? null : $"Needs {count} CUDA devices and libtorch's CUDA build; this process has {found}.";
    }
}
