using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Tests.Flux;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Lora;

public class LoraAdapterTests : IDisposable
{
    private static readonly FluxConfig Config = FluxFixture.Tiny with { Conditional = true };
    private readonly string _folder = Directory.CreateTempSubdirectory("dsd-lora").FullName;

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private string File(string name = "adapter.safetensors") => Path.Combine(_folder, name);

    [Fact]
    [Trait("Category", "Parity")]
    public void Attached_PredictsWhatPeftPredicts()
    {
        using FluxTransformer transformer = FluxFixture.Load("tiny-dsd");
        using LoraAdapter adapter = LoraAdapter.Load(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"));
        using TensorDictionary io = ReferenceInputs();
        using LoraAttachment attachment = adapter.Attach(transformer);
        using Tensor sample = FluxFixture.Run(transformer, io);
        TensorAssert.Close(io["sample"], sample);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Attached_AfterARoundThroughComfyUIsNames_PredictsWhatPeftPredicts()
    {
        using FluxTransformer transformer = FluxFixture.Load("tiny-dsd");
        using (LoraAdapter peft = LoraAdapter.Load(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors")))
        {
            peft.Save(File(), names: LoraNames.ComfyUI);
        }
        using SafetensorsFile file = SafetensorsFile.Open(File());
        Assert.All(file.Entries.Keys, key => Assert.StartsWith("diffusion_model.", key, StringComparison.Ordinal));
        using LoraAdapter adapter = LoraAdapter.Load(File());
        using TensorDictionary io = ReferenceInputs();
        using LoraAttachment attachment = adapter.Attach(transformer);
        using Tensor sample = FluxFixture.Run(transformer, io);
        TensorAssert.Close(io["sample"], sample);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Load_ReadsRankAndAlphaFromTheFile()
    {
        using LoraAdapter adapter = LoraAdapter.Load(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"));
        using TensorDictionary expected = Fixtures.Tensors("dsd_transformer_lora.safetensors");
        Assert.All(adapter.Factors.Values, f => Assert.Equal((expected["rank"].item<float>(), expected["alpha"].item<float>()), (f.Rank, f.Alpha)));
    }

    [Fact]
    public void Merged_PredictsTheSameAsAttached()
    {
        using FluxTransformer transformer = FluxFixture.Load("tiny-dsd");
        using LoraAdapter adapter = LoraAdapter.Load(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"));
        using TensorDictionary io = ReferenceInputs();
        adapter.Merge(transformer);
        using Tensor sample = FluxFixture.Run(transformer, io);
        TensorAssert.Close(io["sample"], sample);
    }

    [Fact]
    public void Save_IntoMemory_GivesTheFilesBytes_AndLoadReadsThem()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        adapter.Save(File());
        using MemoryStream memory = new();
        adapter.Save(memory);
        Assert.Equal(System.IO.File.ReadAllBytes(File()), memory.ToArray());

        using LoraAdapter read = LoraAdapter.Load(memory.ToArray(), "memory");

        Assert.Equal("memory", read.Source);
        Assert.Equal(adapter.Factors.Keys, read.Factors.Keys);
        foreach ((string module, LoraFactors factors) in adapter.Factors)
        {
            TensorAssert.Equal(factors.A, read.Factors[module].A);
            TensorAssert.Equal(factors.B, read.Factors[module].B);
            Assert.Equal(factors.Alpha, read.Factors[module].Alpha);
        }
        Assert.Equal(adapter.Whole.Keys, read.Whole.Keys);
    }

    // The same faults as in files, named by where the bytes came from.
    [Fact]
    public void Load_OfBytes_RefusesWhatAFileIsRefusedFor()
    {
        foreach (string fault in DamagedSafetensors.Faults)
        {
            System.IO.File.Copy(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"), File(), overwrite: true);
            DamagedSafetensors.Damage(File(), fault);
            byte[] damaged = System.IO.File.ReadAllBytes(File());
            string ofFile = Assert.ThrowsAny<WeightsException>(() => LoraAdapter.Load(File())).Message;
            WeightsException e = Assert.ThrowsAny<WeightsException>(() => LoraAdapter.Load(damaged, "the bytes"));
            Assert.Equal("the bytes", e.File);
            Assert.Equal(ofFile.Replace(File(), "the bytes", StringComparison.Ordinal), e.Message);
        }
        foreach (byte[] few in new byte[][] { [], [1, 2, 3], new byte[9] })
        {
            Assert.Contains("'the bytes'", Assert.Throws<SafetensorsException>(() => LoraAdapter.Load(few, "the bytes")).Message, StringComparison.Ordinal);
        }
    }

    // PEFT's config lies beside a file, and bytes only say that they came from one.
    [Fact]
    public void Load_OfBytes_ReadsNoFileBesideTheirName()
    {
        string named = File("adapter_model.safetensors");
        System.IO.File.WriteAllText(File("adapter_config.json"), "no config");
        using (Tensor a = ones(2, 4))
        using (Tensor b = ones(4, 2))
        {
            SafetensorsWriter.Write(named, new Dictionary<string, Tensor> { ["proj_out.lora_A.weight"] = a, ["proj_out.lora_B.weight"] = b });
        }
        Assert.Throws<WeightsException>(() => LoraAdapter.Load(named));
        using LoraAdapter read = LoraAdapter.Load(System.IO.File.ReadAllBytes(named), named);
        Assert.Equal(2, read.Factors["proj_out"].Alpha);
    }

    [Fact]
    public void New_RefusesFactorsThatAreNoPair()
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, LoraFactors> factors = new() { ["proj_out"] = new(ones(2, 6), ones(4, 3), 2) };
        Assert.Contains("proj_out", Assert.Throws<ArgumentException>(() => new LoraAdapter("mine", factors)).Message, StringComparison.Ordinal);
    }

    // What an exporter writes, a part of a weight at a time.
    [Fact]
    public void AddTo_SomeRowsAndColumnsAtATime_GivesTheWeightsThatMergeMakes()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> before = adapter.Factors.Keys.ToDictionary(m => m, m => transformer.state_dict()[$"{m}.weight"].detach().clone());
        adapter.Merge(transformer, 0.5f);
        foreach ((string module, Tensor weight) in before)
        {
            for (long output = 0; output < weight.shape[0]; output += 3)
            {
                for (long input = 0; input < weight.shape[1]; input += 5)
                {
                    Tensor block = weight.narrow(0, output, Math.Min(3, weight.shape[0] - output)).narrow(1, input, Math.Min(5, weight.shape[1] - input));
                    adapter.Factors[module].AddTo(block, 0.5f, output, input);
                }
            }
            TensorAssert.Close(transformer.state_dict()[$"{module}.weight"], weight, 1e-6);
        }
    }

    [Fact]
    public void AddTo_RefusesWeightsThatDoNotFit()
    {
        using DisposeScope scope = NewDisposeScope();
        LoraFactors factors = new(ones(2, 6), ones(4, 2), 2);
        Assert.Throws<ArgumentException>(() => factors.AddTo(zeros(5, 6)));
        Assert.Throws<ArgumentException>(() => factors.AddTo(zeros(4, 6), firstInput: 1));
        Assert.Throws<ArgumentException>(() => factors.AddTo(zeros(4, 6), firstOutput: 1));
        Assert.Throws<ArgumentException>(() => factors.AddTo(zeros(4, 6, ScalarType.BFloat16)));
    }

    [Fact]
    public void Scale_WorksAlikeAttachedAndMerged()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        using TensorDictionary inputs = FluxFixture.Inputs(Config);
        using Tensor attached = RunWith(adapter, transformer, inputs, 0.3f);
        adapter.Merge(transformer, 0.3f);
        using Tensor merged = FluxFixture.Run(transformer, inputs);
        TensorAssert.Close(attached, merged);
    }

    [Fact]
    public void Disposed_LeavesTheTransformerAsItWas()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        using TensorDictionary inputs = FluxFixture.Inputs(Config);
        using Tensor before = FluxFixture.Run(transformer, inputs);
        RunWith(adapter, transformer, inputs, 1).Dispose();
        using Tensor after = FluxFixture.Run(transformer, inputs);
        TensorAssert.Equal(before, after);
    }

    [Fact]
    public void TwoAdapters_AddUp()
    {
        using FluxTransformer transformer = new(FluxFixture.Tiny);
        using LoraAdapter adapter = Trained(transformer);
        using TensorDictionary inputs = FluxFixture.Inputs(FluxFixture.Tiny);
        using Tensor once = RunWith(adapter, transformer, inputs, 1);
        using LoraAttachment first = adapter.Attach(transformer, 0.75f);
        using Tensor twice = RunWith(adapter, transformer, inputs, 0.25f);
        TensorAssert.Close(once, twice);
    }

    [Fact]
    public void Create_ChangesNothingAtFirst()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Rank = 2 });
        using TensorDictionary inputs = FluxFixture.Inputs(Config);
        using Tensor before = FluxFixture.Run(transformer, inputs);
        using Tensor with = RunWith(adapter, transformer, inputs, 1);
        TensorAssert.Equal(before, with);
    }

    [Fact]
    public void Create_GivesTheSameFactorsForTheSameSeed()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter first = LoraAdapter.Create(transformer, new LoraOptions { Rank = 2, Seed = 5 });
        using LoraAdapter second = LoraAdapter.Create(transformer, new LoraOptions { Rank = 2, Seed = 5 });
        Assert.All(first.Factors, f => TensorAssert.Equal(f.Value.A, second.Factors[f.Key].A));
    }

    [Fact]
    public void Create_ListsTargetsThatMatchNothing()
    {
        using FluxTransformer transformer = new(Config);
        ArgumentException e = Assert.Throws<ArgumentException>(() => LoraAdapter.Create(transformer, new LoraOptions { Targets = ["attn.to_q", "attn.to_x"] }));
        Assert.StartsWith("Targets attn.to_x match no linear layer", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_MatchesWholeWordsOnly()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Targets = ["0.attn.to_q"], Condition = ConditionTraining.Frozen });
        Assert.Equal(["single_transformer_blocks.0.attn.to_q", "transformer_blocks.0.attn.to_q"], adapter.Factors.Keys);
    }

    [Fact]
    public void SaveAndLoad_KeepEverything()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        adapter.Save(File());
        using LoraAdapter read = LoraAdapter.Load(File());
        Assert.Equal(adapter.Factors.Select(f => (f.Key, f.Value.Alpha, f.Value.Rank)), read.Factors.Select(f => (f.Key, f.Value.Alpha, f.Value.Rank)));
        Assert.All(adapter.Factors, f => TensorAssert.Equal(f.Value.A, read.Factors[f.Key].A));
        Assert.All(adapter.Factors, f => TensorAssert.Equal(f.Value.B, read.Factors[f.Key].B));
        Assert.All(adapter.Whole, w => TensorAssert.Equal(w.Value, read.Whole[w.Key]));
    }

    [Fact]
    public void Save_StoresTheAskedType()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        adapter.Save(File(), ScalarType.BFloat16);
        using LoraAdapter read = LoraAdapter.Load(File());
        Assert.All(adapter.Factors, f => TensorAssert.Equal(f.Value.A.to(ScalarType.BFloat16), read.Factors[f.Key].A.to(ScalarType.BFloat16)));
        using SafetensorsFile file = SafetensorsFile.Open(File());
        Assert.All(file.Entries.Values, entry => Assert.Equal("BF16", entry.DType));
    }

    [Fact]
    public void Save_WritesDiffusersKeys()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Targets = ["norm_out.linear"], Rank = 1 });
        adapter.Save(File());
        using SafetensorsFile file = SafetensorsFile.Open(File());
        Assert.Equal(
            [
                "transformer.c_embedder.bias",
                "transformer.c_embedder.weight",
                "transformer.norm_out.linear.lora_A.weight",
                "transformer.norm_out.linear.lora_B.weight",
            ],
            file.Entries.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void SaveAndLoad_KeepAlphasAndRanksThatDiffer()
    {
        using LoraAdapter adapter = new(
            "test",
            new Dictionary<string, LoraFactors>
            {
                ["a"] = new(ones(2, 3), ones(4, 2), 2),
                ["b"] = new(ones(2, 3), ones(4, 2), 2),
                ["c"] = new(ones(1, 3), ones(4, 1), 0.5f),
            },
            new Dictionary<string, Tensor>());
        adapter.Save(File());
        using LoraAdapter read = LoraAdapter.Load(File());
        Assert.Equal([(2, 2f), (2, 2f), (1, 0.5f)], read.Factors.Values.Select(f => (f.Rank, f.Alpha)));
    }

    [Fact]
    public void Load_WithoutMetadata_TakesTheRankForAlpha()
    {
        Write(("transformer.x.lora_A.weight", ones(3, 5)), ("transformer.x.lora_B.weight", ones(6, 3)));
        using LoraAdapter adapter = LoraAdapter.Load(File());
        Assert.Equal(3f, adapter.Factors["x"].Alpha);
    }

    [Fact]
    public void Load_NamesAFactorWithoutItsPartner()
    {
        Write(("transformer.x.lora_A.weight", ones(3, 5)));
        WeightsException e = Assert.Throws<WeightsException>(() => LoraAdapter.Load(File()));
        Assert.Contains("x.lora_A.weight", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RefusesFactorsOfDifferentRanks()
    {
        Write(("transformer.x.lora_A.weight", ones(3, 5)), ("transformer.x.lora_B.weight", ones(6, 4)));
        WeightsException e = Assert.Throws<SafetensorsException>(() => LoraAdapter.Load(File()));
        Assert.Contains("A F32 [3, 5] and B F32 [6, 4]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RefusesAdaptersOfOtherModels()
    {
        Write(("transformer.x.lora_A.weight", ones(3, 5)), ("transformer.x.lora_B.weight", ones(6, 3)), ("text_encoder.y.lora_A.weight", ones(3, 5)));
        WeightsException e = Assert.Throws<WeightsException>(() => LoraAdapter.Load(File()));
        Assert.Contains("text_encoder.y.lora_A.weight", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RefusesAFileWithoutAnyAdapter()
    {
        WeightsException e = Assert.Throws<WeightsException>(() => LoraAdapter.Load(Fixtures.Path("vae.safetensors")));
        Assert.Contains("none of them such", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"transformer.r\": 4, \"transformer.lora_alpha\": 4}", "rank 4 for x, as the metadata says, found rank 3")]
    [InlineData("{\"transformer.lora_alpha\": \"many\"}", "a positive number as 'transformer.lora_alpha'")]
    [InlineData("{\"transformer.use_dora\": true}", "DoRA")]
    [InlineData("[1", "JSON as the adapter's config")]
    public void Load_RefusesMetadataThatDoesNotFit(string metadata, string said)
    {
        Write(metadata, ("transformer.x.lora_A.weight", ones(3, 5)), ("transformer.x.lora_B.weight", ones(6, 3)));
        WeightsException e = Assert.Throws<WeightsException>(() => LoraAdapter.Load(File()));
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_NamesLayersOfAnotherShape()
    {
        using FluxTransformer wide = new(Config with { InChannels = 20 });
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = LoraAdapter.Create(wide, new LoraOptions { Targets = ["x_embedder"], Rank = 2, Condition = ConditionTraining.Frozen });
        WeightsException e = Assert.Throws<WeightsException>(() => adapter.Attach(transformer));
        Assert.Contains("x_embedder: the layer is [16, 16], B·A is [16, 20]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_NamesLayersThatTheTransformerLacks()
    {
        using FluxTransformer deep = new(Config with { NumSingleLayers = 3 });
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = LoraAdapter.Create(deep, new LoraOptions { Targets = ["proj_mlp"], Rank = 2 });
        WeightsException e = Assert.Throws<WeightsException>(() => adapter.Attach(transformer));
        Assert.Contains("single_transformer_blocks.2.proj_mlp", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_WithACondition_WantsAConditionalTransformer()
    {
        using FluxTransformer conditional = new(Config);
        using FluxTransformer plain = new(FluxFixture.Tiny);
        using LoraAdapter adapter = LoraAdapter.Create(conditional, new LoraOptions { Rank = 2 });
        WeightsException e = Assert.Throws<WeightsException>(() => adapter.Attach(plain));
        Assert.Contains("build it with Conditional = true", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_RefusesASecondAdapterThatHoldsTheSameLayerWhole()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        using LoraAttachment first = adapter.Attach(transformer);
        WeightsException e = Assert.Throws<WeightsException>(() => adapter.Attach(transformer));
        Assert.Contains("whose c_embedder no other adapter holds", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_RefusesWhatIsNotFinite_AndChangesNothing()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        using Tensor before = transformer.state_dict()["proj_out.weight"].clone();
        using (no_grad())
        {
            adapter.Factors["transformer_blocks.0.attn.to_v"].B.fill_(float.PositiveInfinity);
        }
        WeightsException e = Assert.Throws<WeightsException>(() => adapter.Merge(transformer));
        Assert.Contains("transformer_blocks.0.attn.to_v.weight", e.Message, StringComparison.Ordinal);
        TensorAssert.Equal(before, transformer.state_dict()["proj_out.weight"]);
    }

    [Fact]
    public void Trainable_OnlyTheAdapterLearns()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        using LoraAttachment attachment = adapter.Attach(transformer, trainable: true);
        using TensorDictionary inputs = FluxFixture.Inputs(Config);
        Loss(transformer, inputs).backward();
        Assert.All(attachment.Parameters, p => Assert.NotNull(p.Parameter.grad));
        Assert.All(transformer.parameters(), p => Assert.Null(p.grad));
    }

    [Fact]
    public void Parameters_ComeInTheOrderOfTheFile()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Targets = ["attn.to_q"], Rank = 2 });
        using LoraAttachment attachment = adapter.Attach(transformer, trainable: true);
        string[] names = [.. attachment.Parameters.Select(p => p.Name)];
        Assert.Equal("single_transformer_blocks.0.attn.to_q.lora_A.weight", names[0]);
        Assert.Equal(["c_embedder.weight", "c_embedder.bias"], names[^2..]);
    }

    [Fact]
    public void ToAdapter_GivesWhatWasLearned()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Rank = 2, Alpha = 6 });
        using LoraAttachment attachment = adapter.Attach(transformer, trainable: true);
        (string name, Parameter parameter) = attachment.Parameters[1];
        using (no_grad())
        {
            parameter.fill_(0.25);
        }
        using LoraAdapter learned = attachment.ToAdapter();
        LoraFactors factors = learned.Factors[name[..^".lora_B.weight".Length]];
        Assert.Equal((0.25f, 6f), (factors.B[0, 0].item<float>(), factors.Alpha));
    }

    [Fact]
    public void AttachAndDispose_LeaveNoTensorBehind()
    {
        using FluxTransformer transformer = new(Config);
        using LoraAdapter adapter = Trained(transformer);
        DisposeScopeManager.Statistics.Reset();
        adapter.Attach(transformer).Dispose();
        Assert.Equal(0, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    /// <summary>An adapter that changes something: its second factors and whole tensors are random.</summary>
    private static LoraAdapter Trained(FluxTransformer transformer)
    {
        LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Rank = 2, Alpha = 4 });
        using IDisposable noGrad = no_grad();
        using Generator generator = new(11, CPU);
        foreach (Tensor tensor in adapter.Factors.Values.Select(f => f.B).Concat(adapter.Whole.Values))
        {
            using Tensor random = randn(tensor.shape, generator: generator);
            tensor.copy_(random);
        }
        return adapter;
    }

    private static Tensor RunWith(LoraAdapter adapter, FluxTransformer transformer, TensorDictionary inputs, float scale)
    {
        using LoraAttachment attachment = adapter.Attach(transformer, scale);
        return FluxFixture.Run(transformer, inputs);
    }

    private static Tensor Loss(FluxTransformer transformer, TensorDictionary inputs) => transformer.forward(
        inputs["hidden_states"], inputs["condition_hidden_states"], inputs["encoder_hidden_states"], inputs["pooled_projections"],
        inputs["timestep"], inputs["guidance"], inputs["img_ids"], inputs["txt_ids"]).square().sum();

    /// <summary>The file of the run with an adapter holds what differs from the run without.</summary>
    private static TensorDictionary ReferenceInputs()
    {
        TensorDictionary io = Fixtures.Tensors("dsd_transformer.safetensors");
        using TensorDictionary other = Fixtures.Tensors("dsd_transformer_lora.safetensors");
        foreach ((string name, Tensor tensor) in other)
        {
            io.GetValueOrDefault(name)?.Dispose();
            io[name] = tensor.alias();
        }
        return io;
    }

    private void Write(params (string Name, Tensor Tensor)[] tensors) => Write(null, tensors);

    private void Write(string? metadata, params (string Name, Tensor Tensor)[] tensors) => SafetensorsWriter.Write(
        File(),
        tensors.Select(t => KeyValuePair.Create(t.Name, t.Tensor)),
        metadata is null ? null : new Dictionary<string, string> { ["lora_adapter_metadata"] = metadata });
}
