namespace Dsd.Evaluation.Benchmarks.DreamBenchPlus;

/// <summary>What a collection of DreamBench++ is of. Its id says so.</summary>
public enum DreamBenchCategory
{
    /// <summary>Ids that begin with <c>live_subject_animal_</c> or <c>animal_</c>.</summary>
    Animal,

    /// <summary>Ids that begin with <c>live_subject_human_</c> or <c>human_</c>.</summary>
    Human,

    /// <summary>Ids that begin with <c>object_</c>.</summary>
    Object,

    /// <summary>Ids that begin with <c>style_</c>: a style is kept, not a subject.</summary>
    Style,

    /// <summary>Any other id, in folders that are not the benchmark's own. It counts in the whole alone.</summary>
    Other,
}
