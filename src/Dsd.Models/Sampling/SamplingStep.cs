using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>The state after a step of the sampling loop.</summary>
/// <param name="Step">Steps done, from 1 to <paramref name="Steps"/>.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Sigma">The noise level that the latents now have, in 0…1: 0 after the last step.</param>
/// <param name="Latents">[batch, tokens, channels], float32, on the model's device. They belong to the loop and are gone after the call: clone
/// what must stay, and change nothing.</param>
public sealed record SamplingStep(int Step, int Steps, float Sigma, Tensor Latents);
