namespace Dsd.Models.Training.Planning;

/// <summary>For which plans the seconds of a step are found out: on a GPU, by steps of smaller networks, which takes some seconds for each plan.</summary>
public enum PlanSeconds
{
    /// <summary>For none.</summary>
    None,

    /// <summary>For the chosen one.</summary>
    Chosen,

    /// <summary>For all that fit the memory.</summary>
    All,
}
