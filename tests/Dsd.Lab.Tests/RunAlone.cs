namespace Dsd.Lab.Tests;

/// <summary>The collection of tests that run while no other does, since they look at the whole process's memory or set what holds for all of it.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunAlone
{
    /// <summary>The collection's name.</summary>
    public const string Name = "alone";
}
