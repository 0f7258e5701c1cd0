using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using TorchSharp;

namespace Dsd.Tiny.Tests.Judge;

/// <summary>Small networks and certain readings for the tests of this folder.</summary>
internal static class TestJudge
{
    public static readonly JudgeConfig Small = JudgeConfig.ForWorld with { ImageSize = 32, Channels = [8, 16, 16] };

    public static JudgeNetwork Network(JudgeConfig? config = null)
    {
        torch.random.manual_seed(1);
        return new JudgeNetwork(config ?? Small);
    }

    /// <summary>The reading of a network that is quite sure of the subject.</summary>
    public static SubjectReading Sure(Subject subject)
    {
        int[] values = subject.Values;
        float[] logits = [.. Subject.Kinds.SelectMany((kind, i) => Enumerable.Range(0, kind.Count).Select(value => value == values[i] ? 12f : 0f))];
        return SubjectReading.FromLogits(logits, JudgeConfig.ForWorld);
    }
}
