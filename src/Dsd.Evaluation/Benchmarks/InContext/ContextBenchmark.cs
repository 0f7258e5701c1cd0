namespace Dsd.Evaluation.Benchmarks.InContext;

/// <summary>The benchmarks of pictures made from given pictures and an instruction that are scored by √(PF · SC).</summary>
public enum ContextBenchmark
{
    /// <summary>OmniContext (arXiv 2506.18871, <c>VectorSpaceLab/OmniGen2</c>): judges see the given pictures and the generated one.</summary>
    OmniContext,

    /// <summary>OSBench (arXiv 2512.08294, <c>LAW1223/OpenSubject</c>): judges see a true picture too.</summary>
    OSBench,
}
