using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;
using AdamW = Dsd.Models.Training.Optimizers.AdamW;

namespace Dsd.Models.Tests.Training;

public class LoraTrainingParityTests
{
    private const double Rate = 1e-2;
    private const double Rounding = 1e-5;

    [Fact]
    [Trait("Category", "Parity")]
    public void FiveSteps_GiveTheReferenceLossesNormsAndWeights()
    {
        using TensorDictionary io = Fixtures.Tensors("lora_train_io.safetensors");
        using TensorDictionary final = Fixtures.Tensors("lora_train_final.safetensors");
        using DisposeScope scope = NewDisposeScope();
        FluxConfig config = ModelFolder.OpenParts(Fixtures.Path("tiny-dsd")).ReadConfig<FluxConfig>("transformer");
        using WeightSource weights = WeightSource.Open(Fixtures.Path("tiny-dsd", "transformer"));
        using FluxTransformer transformer = FluxCheckpoint.Load(config, weights);
        using LoraAdapter start = Start();
        using LoraAttachment attached = start.Attach(transformer, trainable: true);
        using AdamW optimizer = new(attached.Parameters.Select(p => p.Parameter), new AdamWOptions { WeightDecay = 0.01, MaxGradientNorm = 1.0 });

        Dictionary<string, Tensor> atRounding = [];
        List<float> losses = [];
        List<float> norms = [];
        for (int step = 0; step < io["losses"].shape[0]; step++)
        {
            Tensor noise = io["noise"][step];
            Tensor sigma = io["sigma"][step];
            Tensor velocity = transformer.forward(
                FlowMatching.Interpolate(io["x0"][step], noise, sigma),
                io["condition"][step],
                io["encoder_hidden_states"],
                io["pooled_projections"],
                sigma,
                config.GuidanceEmbeds ? io["guidance"] : null,
                io["img_ids"],
                io["txt_ids"]);
            Tensor loss = FlowMatching.Loss(velocity, FlowMatching.Velocity(io["x0"][step], noise));
            losses.Add(loss.item<float>());
            loss.backward();
            Dictionary<string, Tensor> gradients = attached.Parameters.ToDictionary(p => p.Name, p => p.Parameter.grad!.detach().clone());
            float norm = optimizer.Step(Rate);
            norms.Add(norm);
            foreach ((string name, Tensor gradient) in gradients)
            {
                // Largest of the step's own gradients: what rounding leaves is a share of it.
                Tensor small = gradient.abs().less(Rounding * gradient.abs().max());
                atRounding[name] = atRounding.TryGetValue(name, out Tensor? earlier) ? earlier.logical_or(small) : small;
            }
        }

        TensorAssert.Close(io["losses"], tensor(losses.ToArray()));
        TensorAssert.Close(io["grad_norms"], tensor(norms.ToArray()));
        Assert.Equal(final.Keys.Order(), attached.Parameters.Select(p => p.Name).Order());
        Assert.All(attached.Parameters, p => AssertClose(final[p.Name], p.Parameter, atRounding[p.Name]));
    }

    /// <summary>Compares the weights that AdamW has made of two programs' gradients.</summary>
    /// <remarks>
    /// AdamW divides a gradient's mean by the root of its mean square: an element moves by about the learning rate at each step, however small its gradient is,
    /// and in the direction of its sign. Where a gradient is only what rounding leaves, at most <see cref="Rounding"/> of the matrix' largest (float32 has
    /// 6e-8, and a sum over some thousand products in another order moves by a few tens of that), its sign says nothing, and two right programs may walk in
    /// opposite directions. So such an element must only lie within two walks, 2 · steps · rate, and one in a hundred of a matrix, at least one, may
    /// be off at all; all others must be the same within 1e-4. A gradient of zero, as a first factor has it before the second has moved, is no rounding.
    /// </remarks>
    private static void AssertClose(Tensor expected, Tensor actual, Tensor atRounding)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor zero = zeros_like(expected);
        TensorAssert.Close(where(atRounding, zero, expected), where(atRounding, zero, actual.detach()));
        double error = (expected - actual.detach()).abs().max().item<float>();
        Assert.InRange(error, 0, 2 * 5 * Rate);
        Tensor counted = atRounding.logical_and((expected - actual.detach()).abs().greater(1e-4));
        Assert.InRange(counted.sum().item<long>(), 0, Math.Max(1, expected.numel() / 100));
    }

    /// <summary>The initial factors, with the rank of their shapes and the strength that the released adapter tells.</summary>
    private static LoraAdapter Start()
    {
        using LoraAdapter released = LoraAdapter.Load(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"));
        float alpha = released.Factors.Values.First().Alpha;
        using TensorDictionary init = Fixtures.Tensors("lora_train_init.safetensors");
        IEnumerable<string> modules = init.Keys.Where(k => k.EndsWith(".lora_A.weight", StringComparison.Ordinal)).Select(k => k[..^".lora_A.weight".Length]);
        return new LoraAdapter(
            "lora_train_init.safetensors",
            modules.ToDictionary(m => m, m => new LoraFactors(init[$"{m}.lora_A.weight"].clone(), init[$"{m}.lora_B.weight"].clone(), alpha)),
            new Dictionary<string, Tensor>());
    }
}
