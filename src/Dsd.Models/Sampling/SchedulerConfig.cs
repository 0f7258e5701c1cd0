using Dsd.Models.Weights;

namespace Dsd.Models.Sampling;

/// <summary>How noise levels are spaced: the fields of <c>scheduler/scheduler_config.json</c> (diffusers' layout).</summary>
public sealed record SchedulerConfig : IModelConfig
{
    /// <summary>Timesteps that the model was trained with: a timestep is sigma times this. FLUX: 1000.</summary>
    public int NumTrainTimesteps { get; init; } = 1000;

    /// <summary>Whether the shift depends on the number of image tokens (FLUX.1-dev) or is <see cref="Shift"/> always (FLUX.1-schnell).</summary>
    public bool UseDynamicShifting { get; init; }

    /// <summary>The shift where it is not dynamic: sigma becomes <c>shift · sigma / (1 + (shift − 1) · sigma)</c>. FLUX.1-schnell: 1.</summary>
    public double Shift { get; init; } = 1;

    /// <summary>Exponent of the dynamic shift at <see cref="BaseImageSeqLen"/> tokens. FLUX: 0.5.</summary>
    public double BaseShift { get; init; } = 0.5;

    /// <summary>Exponent of the dynamic shift at <see cref="MaxImageSeqLen"/> tokens. FLUX: 1.15.</summary>
    public double MaxShift { get; init; } = 1.15;

    /// <summary>Image tokens, packed 2 × 2, at which the exponent is <see cref="BaseShift"/>. FLUX: 256.</summary>
    public int BaseImageSeqLen { get; init; } = 256;

    /// <summary>Image tokens, packed 2 × 2, at which the exponent is <see cref="MaxShift"/>. FLUX: 4096.</summary>
    public int MaxImageSeqLen { get; init; } = 4096;

    /// <summary>Form of the dynamic shift; only <c>exponential</c> is known.</summary>
    public string TimeShiftType { get; init; } = "exponential";

    /// <summary>Level that the last sigma is stretched to; only null, for not at all, is known.</summary>
    public double? ShiftTerminal { get; init; }

    /// <summary>Whether sigmas run upwards; only false is known.</summary>
    public bool InvertSigmas { get; init; }

    /// <summary>Whether fresh noise is added in each step; only false is known.</summary>
    public bool StochasticSampling { get; init; }

    /// <summary>Another spacing of the sigmas; only false is known.</summary>
    public bool UseKarrasSigmas { get; init; }

    /// <summary>Another spacing of the sigmas; only false is known.</summary>
    public bool UseExponentialSigmas { get; init; }

    /// <summary>Another spacing of the sigmas; only false is known.</summary>
    public bool UseBetaSigmas { get; init; }

    /// <summary>Checks the fields alone and against each other.</summary>
    /// <exception cref="ArgumentException">Names the field, what it may be and what it is.</exception>
    public void Validate()
    {
        Require(NumTrainTimesteps is >= 1 and <= 1_000_000, "num_train_timesteps", "between 1 and 1000000", NumTrainTimesteps);
        Require(Shift is > 0 and <= 1000, "shift", "above 0 and at most 1000", Shift);
        Require(Math.Abs(BaseShift) <= 20, "base_shift", "between -20 and 20", BaseShift);
        Require(Math.Abs(MaxShift) <= 20, "max_shift", "between -20 and 20", MaxShift);
        Require(BaseImageSeqLen > 0, "base_image_seq_len", "above 0", BaseImageSeqLen);
        Require(MaxImageSeqLen > BaseImageSeqLen, "max_image_seq_len", $"above base_image_seq_len ({BaseImageSeqLen})", MaxImageSeqLen);
        Require(TimeShiftType == "exponential", "time_shift_type", "exponential", TimeShiftType);
        Require(ShiftTerminal is null, "shift_terminal", "null", ShiftTerminal);
        Require(!InvertSigmas, "invert_sigmas", "false", InvertSigmas);
        Require(!StochasticSampling, "stochastic_sampling", "false", StochasticSampling);
        Require(!UseKarrasSigmas, "use_karras_sigmas", "false", UseKarrasSigmas);
        Require(!UseExponentialSigmas, "use_exponential_sigmas", "false", UseExponentialSigmas);
        Require(!UseBetaSigmas, "use_beta_sigmas", "false", UseBetaSigmas);
    }

    private static void Require(bool holds, string field, string may, object? value)
    {
        if (!holds)
        {
            throw new ArgumentException(FormattableString.Invariant($"Scheduler config: {field} must be {may}, but is {value}."));
        }
    }
}
