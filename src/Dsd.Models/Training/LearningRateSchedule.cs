namespace Dsd.Models.Training;

/// <summary>How the learning rate goes on after its warm-up.</summary>
public enum LearningRateSchedule
{
    /// <summary>It falls along half a cosine to nothing.</summary>
    Cosine,

    /// <summary>It stays.</summary>
    Constant,

    /// <summary>It falls in a straight line to nothing.</summary>
    Linear,
}
