using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Export;

[Trait("Category", "Parity")]
public class FluxTransformerExportTests
{
    private const double Tolerance = 1e-4;

    [Fact]
    public void Plain_GivesTheReferencesSample()
    {
        using TensorDictionary reference = Fixtures.Tensors("transformer.safetensors");
        using FluxModels model = Plain();

        TensorAssert.Close(reference["sample"], model.Run(Inputs(reference)), Tolerance);
    }

    [Fact]
    public void Plain_WithWeightsBeside_GivesTheReferencesSample()
    {
        using TensorDictionary reference = Fixtures.Tensors("transformer.safetensors");
        using FluxModels model = Plain(mostBytesInside: 0);

        TensorAssert.Close(reference["sample"], model.Run(Inputs(reference)), Tolerance);
    }

    [Fact]
    public void Conditional_GivesTheReferencesSample()
    {
        using TensorDictionary reference = Fixtures.Tensors("dsd_transformer.safetensors");
        using FluxModels model = Conditional();

        TensorAssert.Close(reference["sample"], model.Run(Inputs(reference)), Tolerance);
    }

    [Fact]
    public void Conditional_WithALoraMerged_GivesTheReferencesSample()
    {
        using TensorDictionary reference = Fixtures.Tensors("dsd_transformer.safetensors");
        using TensorDictionary adapted = Fixtures.Tensors("dsd_transformer_lora.safetensors");
        using LoraTables tables = LoraTables.Open(new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors")));
        AdapterPart lora = AdapterPart.OfNetwork((tables, 1f));
        using FluxModels model = Conditional(lora);
        foreach (string name in new[] { "hidden_states", "condition_hidden_states" })
        {
            reference[name].Dispose();
            reference[name] = adapted[name].clone();
        }

        TensorAssert.Close(adapted["sample"], model.Run(Inputs(reference)), Tolerance);
    }

    [Fact]
    public void Lora_ReplacesWholeTensors()
    {
        using TensorDictionary reference = Fixtures.Tensors("dsd_transformer.safetensors");
        using TemporaryFolder temporary = new();
        string file = temporary.File("lora.safetensors");
        using (WeightSource adapter = WeightSource.Open(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors")))
        using (WeightSource release = WeightSource.Open(Fixtures.Path("tiny-dsd", "transformer")))
        {
            Dictionary<string, Tensor> tensors = adapter.Names.ToDictionary(n => n, adapter.Read);
            tensors.Add("transformer.c_embedder.weight", zeros_like(release.Read("c_embedder.weight")));
            SafetensorsWriter.Write(file, tensors, null);
        }
        using LoraTables tables = LoraTables.Open(new LoraUse(file));
        AdapterPart lora = AdapterPart.OfNetwork((tables, 0f));
        using FluxModels model = Conditional(lora);
        using FluxModels original = Conditional();

        // With its weight replaced by zeros, the condition's layer adds its bias alone, whatever the condition.
        Tensor replaced = model.Run(Inputs(reference));
        reference["condition_hidden_states"].zero_();

        TensorAssert.Close(original.Run(Inputs(reference)), replaced, Tolerance);
    }

    [Fact]
    public void Lora_OfStrengthZero_ChangesNothing()
    {
        using TensorDictionary reference = Fixtures.Tensors("dsd_transformer.safetensors");
        using LoraTables tables = LoraTables.Open(new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors")));
        AdapterPart lora = AdapterPart.OfNetwork((tables, 0f));
        using FluxModels model = Conditional(lora);

        TensorAssert.Close(reference["sample"], model.Run(Inputs(reference)), Tolerance);
    }

    [Fact]
    public void AnotherBatchAndLength_GiveTheSameRows()
    {
        using TensorDictionary reference = Fixtures.Tensors("transformer.safetensors");
        using FluxModels model = Plain();
        // The first row alone, with the last text token left out: nothing of the example's sizes is baked in.
        (string Name, Tensor Value)[] inputs = [.. Inputs(reference).Select(i => i.Name switch
        {
            "img_ids" => i,
            "txt_ids" => (i.Name, i.Value.slice(0, 0, i.Value.shape[0] - 1, 1)),
            "encoder_hidden_states" => (i.Name, i.Value.slice(0, 0, 1, 1).slice(1, 0, i.Value.shape[1] - 1, 1)),
            _ => (i.Name, i.Value.slice(0, 0, 1, 1)),
        })];
        (string Name, Tensor Value)[] tripled =
        [
            .. inputs.Select(i => i.Name.EndsWith("_ids", StringComparison.Ordinal) ? i : (i.Name, cat([i.Value, i.Value, i.Value]))),
        ];

        Tensor one = model.Run(inputs);
        Tensor three = model.Run(tripled);

        TensorAssert.Close(cat([one, one, one]), three, 1e-5);
    }

    [Fact]
    public void CudaOperators_GiveTheReferencesSample_OnTheProcessorToo()
    {
        using TensorDictionary reference = Fixtures.Tensors("dsd_transformer.safetensors");
        using TensorDictionary adapted = Fixtures.Tensors("dsd_transformer_lora.safetensors");
        using LoraTables tables = LoraTables.Open(new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors")));
        GraphFormat cuda = new(ElementType.Float32, null, GraphTarget.Cuda);
        using FluxModels model = Conditional(format: cuda);
        using FluxModels lora = Conditional(AdapterPart.OfNetwork((tables, 1f)), cuda);

        TensorAssert.Close(reference["sample"], model.Run(Inputs(reference)), Tolerance);
        TensorAssert.Close(adapted["sample"], lora.Run(Inputs(reference).Select(i => (i.Name, adapted.GetValueOrDefault(i.Name) ?? i.Value))), Tolerance);
    }

    private static (string Name, Tensor Value)[] Inputs(TensorDictionary reference) => [.. reference.Select(t => (t.Key, t.Value))];

    private static FluxModels Plain(long mostBytesInside = ModelWriter.MostBytesInside)
    {
        FluxConfig config = ModelFolder.Open(Fixtures.Path("tiny-flux")).ReadConfig<FluxConfig>("transformer");
        using WeightSource source = WeightSource.Open(Fixtures.Path("tiny-flux", "transformer"));
        return new FluxModels(config, source, mostBytesInside: mostBytesInside);
    }

    private static FluxModels Conditional(AdapterPart? lora = null, GraphFormat? format = null)
    {
        FluxConfig config = ModelFolder.OpenParts(Fixtures.Path("tiny-dsd")).ReadConfig<FluxConfig>("transformer");
        using WeightSource source = WeightSource.Open(Fixtures.Path("tiny-dsd", "transformer"));
        return new FluxModels(config, source, format, lora);
    }
}
