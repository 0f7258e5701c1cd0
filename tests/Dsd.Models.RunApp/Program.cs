using System.Globalization;
using Dsd.Models.RunApp;
using Dsd.Models.Training.Parallel;
using TorchSharp;

// One process of a parallel run, to be started by a launcher and killed: RunApp CHECKPOINTS cpu|cuda STEPS DYING_RANK DYING_STEP HOW.
// What it learnt stands in its output as "RANK: SUM", where it trained as "RANK step N".
(string folder, bool gpu, long steps) = (args[0], args[1] == "cuda", long.Parse(args[2], CultureInfo.InvariantCulture));
(int dying, long at, string how) = (int.Parse(args[3], CultureInfo.InvariantCulture), long.Parse(args[4], CultureInfo.InvariantCulture), args[5]);
TrainingGroupOptions? options = TrainingGroupOptions.FromEnvironment();
torch.Device device = gpu ? new torch.Device(DeviceType.CUDA, options?.LocalRank ?? 0) : torch.CPU;
using TrainingGroup? group = options is null ? null : TrainingGroup.Connect(options with { SilenceTimeout = TimeSpan.FromSeconds(10) }, device);
try
{
    using SmallRun run = new(device, group);
    run.Train(folder, steps, step =>
    {
        Console.WriteLine($"{group?.Rank} step {step}");
        if (group?.Rank == dying && step == at)
        {
            if (how == "throw")
            {
                throw new InvalidOperationException("no more memory, says the test");
            }
            // As kill -9: nothing is said, nothing is closed in order.
            System.Diagnostics.Process.GetCurrentProcess().Kill();
        }
    });
    Console.WriteLine($"{group?.Rank ?? 0}: {run.Sum().ToString("R", CultureInfo.InvariantCulture)}");
    return 0;
}
catch (TrainingGroupException e)
{
    Console.Error.WriteLine($"rank {group?.Rank} ends: {e.Message}");
    return 3;
}
catch (InvalidOperationException e)
{
    Console.Error.WriteLine($"rank {group?.Rank} ends: {e.Message}");
    return 4;
}
