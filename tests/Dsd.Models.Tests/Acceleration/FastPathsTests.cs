using Dsd.Models.Acceleration;

namespace Dsd.Models.Tests.Acceleration;

public sealed class FastPathsTests
{
    private static readonly FastPath[] Each = [FastPath.Kernels, FastPath.JoinedProjections, FastPath.TunedProducts];

    [Fact]
    public void All_AreTaken_ButWithinAScope()
    {
        Assert.Equal(Each, Taken());
        using (FastPaths.Plain())
        {
            Assert.Empty(Taken());
            using (FastPaths.Without(FastPath.Kernels))
            {
                Assert.Equal([FastPath.JoinedProjections, FastPath.TunedProducts], Taken());
            }
            Assert.Empty(Taken());
        }
        Assert.Equal(Each, Taken());
    }

    [Fact]
    public void Scope_HoldsForItsThreadAlone()
    {
        using IDisposable plain = FastPaths.Plain();
        FastPath[] other = [];
        Thread thread = new(() => other = Taken());
        thread.Start();
        thread.Join();

        Assert.Equal(Each, other);
        Assert.Empty(Taken());
    }

    private static FastPath[] Taken() => [.. Each.Where(FastPaths.Allow)];
}
