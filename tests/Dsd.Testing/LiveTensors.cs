using TorchSharp;
using Xunit;

namespace Dsd.Testing;

/// <summary>Looks for tensors that work leaves behind.</summary>
public static class LiveTensors
{
    /// <summary>
    /// Runs the work twice and counts this thread's tensors around the second run; the first may set things up that stay.
    /// Tests beside this one do not disturb the count, as the process-wide total would let them.
    /// </summary>
    public static void AssertUnchanged(Action work)
    {
        work();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        work();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
