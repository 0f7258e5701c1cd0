using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;
using AdamW = Dsd.Models.Training.AdamW;

namespace Dsd.Models.Tests.Training;

public class LoraTrainingParityTests
{
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
            norms.Add(optimizer.Step(1e-2).item<float>());
        }

        TensorAssert.Close(io["losses"], tensor(losses.ToArray()));
        TensorAssert.Close(io["grad_norms"], tensor(norms.ToArray()));
        Assert.Equal(final.Keys.Order(), attached.Parameters.Select(p => p.Name).Order());
        Assert.All(attached.Parameters, p => TensorAssert.Close(final[p.Name], p.Parameter));
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
