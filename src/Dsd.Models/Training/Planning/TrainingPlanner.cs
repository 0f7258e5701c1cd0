namespace Dsd.Models.Training.Planning;

/// <summary>Foresees memory and time of training, and chooses the fastest setting that fits.</summary>
/// <remarks>The numbers that no shape tells were measured on an H100 with FLUX.1-dev's size: docs/performance.md.</remarks>
public static class TrainingPlanner
{
    // CUDA's context and libraries, and what torch's allocator holds and cannot use.
    private const double BytesApart = 1.6e9;

    // A process on the CPU with libtorch loaded.
    private const double BytesOfProcess = 0.25e9;

    // Numbers of sixteen bits that a block's graph keeps for each number of the stream.
    private const double KeptByGraph = 16;

    // A step's arithmetic by its time, as a share of the rate of one large product. What is computed twice does not count as arithmetic.
    private const double ShareKept = 0.36;
    private const double ShareRecomputed = 0.25;
    private const double ShareFloat8 = 0.25;

    // Bytes a second from the host's memory to the device, as pinned memory reaches over PCI Express of the fourth generation.
    private const double HostBytesPerSecond = 24e9;

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
    /// <param name="rate">The device's multiplications and additions a second in a large product; null where nobody has measured.</param>
    public static TrainingPlan Plan(
        TrainingLoad load, TrainingSetting setting, long parameters, double stateBytes, long image, long text, int batch, int weightBytes = 2,
        bool gpu = true, double? rate = null)
    {
        ArgumentNullException.ThrowIfNull(load);
        ArgumentNullException.ThrowIfNull(setting);
        double block = setting.Float8 ? 1 : weightBytes;
        double stream = (double)batch * (image + text) * load.Width * weightBytes;
        double blocks = (setting.Streamed ? load.PlaceWeights : load.BlockWeights) + load.ModulationWeights;
        double weights = (blocks * block) + (load.EndWeights * weightBytes);
        double learned = parameters * (8 + stateBytes);
        double graph = setting.Recomputes
            ? (load.Blocks * stream) + (KeptByGraph * stream) + (setting.Float8 ? load.LargestBlock * weightBytes : 0)
            : load.Blocks * KeptByGraph * stream;
        double arithmetic = 2 * batch * load.Arithmetic(image, text);
        double? seconds = arithmetic / rate / (setting.Float8 ? ShareFloat8 : setting.Recomputes ? ShareRecomputed : ShareKept);
        if (setting.Streamed && seconds is { } computed)
        {
            seconds = Math.Max(computed, 2 * load.BlockWeights * block / HostBytesPerSecond);
        }
        return new TrainingPlan(setting, (long)((gpu ? BytesApart : BytesOfProcess) + weights + learned + graph), seconds);
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
