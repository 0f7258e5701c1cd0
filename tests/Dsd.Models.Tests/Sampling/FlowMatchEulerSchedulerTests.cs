using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Sampling;

public class FlowMatchEulerSchedulerTests
{
    private static readonly SchedulerConfig Static = new() { Shift = 3 };

    private static SchedulerConfig Fixture => ModelFolder.Open(Fixtures.Path("tiny-flux")).ReadConfig<SchedulerConfig>("scheduler", "scheduler_config.json");

    [Fact]
    [Trait("Category", "Parity")]
    public void Sigmas_AreTheReferences()
    {
        using TensorDictionary expected = Fixtures.Tensors("scheduler.safetensors");
        foreach ((string name, int tokens, int steps) in Runs(expected, "sigmas"))
        {
            using Tensor sigmas = tensor(FlowMatchEulerScheduler.Sigmas(Fixture, steps, tokens));
            TensorAssert.Close(expected[name], sigmas, 1e-6);
        }
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Timesteps_AreTheReferences()
    {
        using TensorDictionary expected = Fixtures.Tensors("scheduler.safetensors");
        foreach ((string name, int tokens, int steps) in Runs(expected, "timesteps"))
        {
            using Tensor timesteps = tensor(FlowMatchEulerScheduler.Timesteps(Fixture, steps, tokens));
            TensorAssert.Close(expected[name], timesteps, 1e-6);
        }
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Steps_FollowTheReferencesTrajectory()
    {
        using TensorDictionary expected = Fixtures.Tensors("scheduler.safetensors");
        Tensor states = expected["euler_states"]; // [steps + 1, batch, tokens, channels]
        int steps = (int)expected["euler_v"].shape[0];
        // The file does not say for how many tokens the trajectory was made: one of the recorded lengths is it.
        int tokens = Runs(expected, "sigmas").Select(r => r.Tokens).Distinct().MinBy(t => Error(expected, Run(expected, t, steps)));
        TensorAssert.Close(states[steps].flatten(), tensor(Run(expected, tokens, steps)));
    }

    [Fact]
    public void Sigmas_OfOneStep_GoStraightToZero() =>
        Assert.Equal([1f, 0f], FlowMatchEulerScheduler.Sigmas(Fixture, 1, 2048));

    [Fact]
    public void Sigmas_WithStaticShift_DoNotDependOnTheSize() =>
        Assert.Equal(FlowMatchEulerScheduler.Sigmas(Static, 8, 256), FlowMatchEulerScheduler.Sigmas(Static, 8, 4096));

    [Fact]
    public void Sigmas_WithStaticShift_AreShifted() =>
        Assert.Equal(0.75f, FlowMatchEulerScheduler.Sigmas(Static, 2, 256)[1], 6);

    [Fact]
    public void Sigmas_WithoutShift_AreEvenlySpaced() =>
        Assert.Equal([1f, 0.75f, 0.5f, 0.25f, 0f], FlowMatchEulerScheduler.Sigmas(new SchedulerConfig(), 4, 256));

    [Fact]
    public void Sigmas_AlwaysFall()
    {
        float[] sigmas = FlowMatchEulerScheduler.Sigmas(Fixture, 1000, 36);
        Assert.All(sigmas.Zip(sigmas.Skip(1)), s => Assert.True(s.First > s.Second));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public void Sigmas_RefuseOtherNumbersOfSteps(int steps) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FlowMatchEulerScheduler.Sigmas(Static, steps, 256));

    [Fact]
    public void Validate_RefusesASpacingThatIsNotKnown()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => (Static with { UseKarrasSigmas = true }).Validate());
        Assert.Contains("use_karras_sigmas must be false, but is True", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_NamesBothLengthsThatContradictEachOther()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => (Static with { MaxImageSeqLen = 256 }).Validate());
        Assert.Contains("max_image_seq_len must be above base_image_seq_len (256), but is 256", e.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<(string Name, int Tokens, int Steps)> Runs(TensorDictionary file, string kind) =>
        file.Keys.Select(k => k.Split('_')).Where(k => k is [var first, _, _] && first == kind).Select(
            k => (string.Join('_', k), int.Parse(k[1]), int.Parse(k[2])));

    private static float[] Run(TensorDictionary file, int tokens, int steps)
    {
        float[] sigmas = FlowMatchEulerScheduler.Sigmas(Fixture, steps, tokens);
        using GivenVelocities denoiser = new(file["euler_v"]);
        using Tensor latents = Sampler.Integrate(denoiser, file["euler_states"][0].clone(), sigmas, TrueGuidance.None);
        return latents.data<float>().ToArray();
    }

    /// <summary>A denoiser whose velocities are given: [steps, …].</summary>
    private sealed class GivenVelocities(Tensor velocities) : IDenoiser<Tensor>
    {
        public IReadOnlyList<Tensor> Velocities(Tensor latents, int step, IReadOnlyList<GuidancePass> passes) => [velocities[step].clone()];

        public Tensor AddScaled(Tensor x, float scale, Tensor y) => x.add_(y * scale);

        public Tensor PlusScaled(Tensor x, float scale, Tensor y) => x + y * scale;

        public void Dispose()
        {
        }
    }

    private static float Error(TensorDictionary file, float[] latents) =>
        file["euler_states"][-1].data<float>().ToArray().Zip(latents, (a, b) => Math.Abs(a - b)).Max();
}
