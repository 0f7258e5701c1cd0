namespace Dsd.Models.Training.Planning;

/// <summary>Foresees the memory of training, and chooses the fastest setting that fits.</summary>
/// <remarks>The numbers that no shape tells were measured on an H100 with FLUX.1-dev's size: docs/performance.md.</remarks>
public static class TrainingPlanner
{
    // CUDA's context and libraries, and what torch's allocator holds and cannot use, after a step was rehearsed too.
    private const double BytesApart = 1.9e9;

    // A process on the CPU with libtorch loaded.
    private const double BytesOfProcess = 0.25e9;

    // Numbers of sixteen bits that a block keeps for the way back, for each number of the stream: where that is written out, and where torch keeps a graph.
    private const double KeptByBlock = 13;
    private const double KeptByGraph = 18;

    // The same of a block that is run again, with all that comes and goes on its way back.
    private const double RunAgain = 30;

    /// <summary>What training takes in a setting.</summary>
    /// <param name="load">The network's weights.</param>
    /// <param name="setting">What of it lies where.</param>
    /// <param name="parameters">Numbers that learn, in 32 bits.</param>
    /// <param name="stateBytes">What the optimiser keeps for each of them: 8 for AdamW, about 2 with states in eight bits.</param>
    /// <param name="image">Image tokens of a pair's canvas.</param>
    /// <param name="text">Text tokens.</param>
    /// <param name="batch">Pairs a step.</param>
    /// <param name="weightBytes">Bytes of a weight of the base: 2 in bfloat16, 4 in float32.</param>
    /// <param name="gpu">Whether it runs on a GPU.</param>
    /// <param name="written">Whether the blocks' way back is written out: see <see cref="TrainingLoad.KeepsNoGraph"/>.</param>
    public static TrainingPlan Plan(
        TrainingLoad load, TrainingSetting setting, long parameters, double stateBytes, long image, long text, int batch, int weightBytes = 2,
        bool gpu = true, bool written = true)
    {
        ArgumentNullException.ThrowIfNull(load);
        ArgumentNullException.ThrowIfNull(setting);
        double block = setting.Float8 ? 1 : weightBytes;
        double stream = (double)batch * (image + text) * load.Width * weightBytes;
        double blocks = (setting.Streamed ? load.PlaceWeights : load.BlockWeights) + load.ModulationWeights;
        double weights = (blocks * block) + (load.EndWeights * weightBytes);
        double kept = (written ? KeptByBlock : KeptByGraph) * stream;
        // Factors that were rounded stay with the blocks that keep something.
        double passing = setting.Recomputes ? load.Blocks * stream : (load.Blocks * kept) + (parameters * weightBytes);
        // On the way back gradients come as what the blocks have kept goes: the larger of both counts.
        double again = (RunAgain * stream) + (setting.Float8 ? load.LargestBlock * weightBytes : 0);
        double most = Math.Max(passing, parameters * 4.0) + (setting.Recomputes ? again : 0);
        double bytes = (gpu ? BytesApart : BytesOfProcess) + weights + (parameters * (4 + stateBytes)) + most;
        return new TrainingPlan(setting, (long)bytes, null);
    }

    /// <summary>The fastest setting whose plan fits.</summary>
    /// <param name="plan">The plan of a setting.</param>
    /// <param name="limit">Bytes of the device's memory that may be taken.</param>
    /// <param name="settings">The settings to choose from, the fastest first. Null is all.</param>
    /// <exception cref="InvalidOperationException">None fits; says which comes nearest, and how much is missing.</exception>
    public static TrainingPlan Choose(Func<TrainingSetting, TrainingPlan> plan, long limit, IReadOnlyList<TrainingSetting>? settings = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        TrainingPlan[] plans = [.. (settings ?? TrainingSetting.All).Select(plan)];
        if (plans.FirstOrDefault(p => p.MemoryBytes <= limit) is { } fits)
        {
            return fits;
        }
        TrainingPlan least = plans.MinBy(p => p.MemoryBytes)!;
        throw new InvalidOperationException(
            $"No setting fits {DeviceMemory.Gib(limit)} of the device's memory. The smallest, {least.Setting.Name}, takes "
                + $"{DeviceMemory.Gib(least.MemoryBytes)}: {DeviceMemory.Gib(least.MemoryBytes - limit)} are missing. "
                + "A lower rank, fewer targets, smaller frames or a smaller batch take less.");
    }
}
