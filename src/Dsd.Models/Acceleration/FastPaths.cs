namespace Dsd.Models.Acceleration;

/// <summary>Ways of computing a network that give the same as the plain one, but for rounding, in less time.</summary>
[Flags]
internal enum FastPath
{
    None = 0,

    /// <summary><see cref="BlockKernels"/> for pointwise work.</summary>
    Kernels = 1,

    /// <summary>One product for layers whose weights lie end to end.</summary>
    JoinedProjections = 2,

    /// <summary><see cref="MatrixProduct"/> for linear layers.</summary>
    TunedProducts = 4,

    All = Kernels | JoinedProjections | TunedProducts,
}

/// <summary>
/// Which fast paths the calling thread takes: all, but within a scope that leaves some out, for benchmarks and tests. It holds for a thread, as
/// <c>no_grad</c> does, since a forward pass stays on the thread that calls it.
/// </summary>
internal static class FastPaths
{
    [ThreadStatic]
    private static FastPath _leftOut;

    /// <summary>Whether a path may be taken.</summary>
    public static bool Allow(FastPath path) => (_leftOut & path) == 0;

    /// <summary>Leaves out all of them until the result is disposed, by the same thread.</summary>
    public static IDisposable Plain() => Without(FastPath.All);

    /// <summary>Leaves out some, and no others, until the result is disposed, by the same thread.</summary>
    public static IDisposable Without(FastPath paths) => new Scope(paths);

    private sealed class Scope : IDisposable
    {
        private readonly FastPath _before = _leftOut;

        public Scope(FastPath paths) => _leftOut = paths;

        public void Dispose() => _leftOut = _before;
    }
}
