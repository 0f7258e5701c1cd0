namespace Dsd.Models.Sampling;

/// <summary>
/// True guidance of Diffusion Self-Distillation: <c>v = u + i·(ut − u) + t·(c − ut)</c>, where u is predicted from nothing, ut from the
/// condition, and c from condition and prompt.
/// </summary>
/// <param name="Image">i: towards the reference. 1 adds nothing.</param>
/// <param name="Text">t: towards the prompt. 1 adds nothing.</param>
/// <param name="UnguidedSteps">Steps at the start that run once, with condition and prompt.</param>
public readonly record struct TrueGuidance(float Image, float Text, int UnguidedSteps)
{
    private static readonly GuidancePass[] All = [new(Prompt: true, Condition: true)];
    private static readonly GuidancePass[] WithoutPrompt = [new(Prompt: false, Condition: true), .. All];
    private static readonly GuidancePass[] WithoutEither = [new(Prompt: false, Condition: false), .. WithoutPrompt];

    /// <summary>None: one pass a step.</summary>
    public static TrueGuidance None { get; } = new(1, 1, 0);

    /// <summary>The passes of a step, in the order in which <see cref="Combine"/> takes their velocities.</summary>
    // With i = 1 the pass without condition cancels out of the formula, and is left out.
    public IReadOnlyList<GuidancePass> PassesAt(int step) =>
        (Image == 1 && Text == 1) || step < UnguidedSteps ? All : Image == 1 ? WithoutPrompt : WithoutEither;

    /// <summary>The velocity to follow. The velocities of the passes are used up.</summary>
    public T Combine<T>(IDenoiser<T> denoiser, IReadOnlyList<T> passes)
        where T : class, IDisposable
    {
        if (passes.Count == 1)
        {
            return passes[0];
        }
        (T ut, T c) = (passes[^2], passes[^1]);
        using T towardsText = denoiser.AddScaled(c, -1, ut);
        if (passes.Count == 2)
        {
            return denoiser.AddScaled(ut, Text, towardsText);
        }
        using T towardsImage = denoiser.AddScaled(ut, -1, passes[0]);
        return denoiser.AddScaled(denoiser.AddScaled(passes[0], Image, towardsImage), Text, towardsText);
    }
}
