using Dsd.Imaging;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Export;

/// <summary>Adapters merged into an exported model, against an export with them.</summary>
public sealed class OnnxMergerTests : IDisposable
{
    private static readonly string Model = Fixtures.Path("tiny-flux");
    private static readonly string Release = Fixtures.Path("tiny-dsd");
    private static readonly string Lora = Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors");
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    // The numbers were rounded to the precision when the model was exported, and are rounded again when the adapter is merged: twice half a step of it at
    // most, of a number that is about as large. Single precision adds the order of the sums.
    [Theory]
    [InlineData(ExportPrecision.Float32, GraphTarget.Portable, 1e-6)]
    [InlineData(ExportPrecision.Float32, GraphTarget.Cuda, 1e-6)]
    [InlineData(ExportPrecision.Float16, GraphTarget.Portable, 1e-3)]
    [InlineData(ExportPrecision.Float16, GraphTarget.Cuda, 1e-3)]
    [InlineData(ExportPrecision.BFloat16, GraphTarget.Cuda, 8e-3)]
    public void Merge_GivesWhatAnExportWithTheAdaptersGives(ExportPrecision precision, GraphTarget target, double tolerance)
    {
        OnnxExportOptions options = new() { ReleaseFolder = Release, Precision = precision, Target = target, MostBytesInside = 0 };
        string wide = AdapterOfAllLayers();
        OnnxExporter.Export(Model, null, _folder.File("base"), options);
        OnnxExporter.Export(Model, new LoraUse(wide, 0.5f), _folder.File("exported"), options);

        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(wide, 0.5f)], _folder.File("merged"));

        foreach (string component in new[] { "transformer", "modulation" })
        {
            (Dictionary<string, float[]> before, Dictionary<string, float[]> expected, Dictionary<string, float[]> found) =
                (Numbers("base", component), Numbers("exported", component), Numbers("merged", component));
            Assert.Equal(expected.Keys, found.Keys);
            Assert.Contains(expected, e => Distance(before[e.Key], e.Value) > 10 * tolerance);
            Assert.All(expected, e => Assert.True(Distance(e.Value, found[e.Key]) <= tolerance, $"{e.Key}: {Distance(e.Value, found[e.Key])}"));
            // What no adapter changes is the same bytes.
            Assert.All(
                expected.Where(e => before[e.Key].AsSpan().SequenceEqual(e.Value)),
                e => Assert.True(found[e.Key].AsSpan().SequenceEqual(e.Value), e.Key));
        }
    }

    [Theory]
    [InlineData(GraphTarget.Portable)]
    [InlineData(GraphTarget.Cuda)]
    public void Merge_DrawsTheSamePictureAsAnExportWithTheAdapter(GraphTarget target)
    {
        OnnxExportOptions options = new() { ReleaseFolder = Release, Target = target };
        OnnxExporter.Export(Model, null, _folder.File("base"), options with { MostModulationWeights = 10_000 });
        OnnxExporter.Export(Model, new LoraUse(Lora), _folder.File("exported"), options);

        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(Lora)], _folder.File("merged"));

        (Picture before, Picture expected, Picture found) = (Drawn("base"), Drawn("exported"), Drawn("merged"));
        Assert.True(Difference(before, expected) > 3, "The adapter does not show.");
        Assert.InRange(Difference(expected, found), 0, 1);
    }

    [Fact]
    public void Merge_OfSeveral_AndOneAfterAnother_AreTheSum()
    {
        OnnxExportOptions options = new() { ReleaseFolder = Release, Target = GraphTarget.Cuda };
        string wide = AdapterOfAllLayers();
        OnnxExporter.Export(Model, null, _folder.File("base"), options);

        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(Lora, 0.75f), new LoraUse(wide, -0.5f)], _folder.File("both"));
        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(Lora, 0.75f)], _folder.File("one"));
        OnnxMerger.Merge(_folder.File("one"), [new LoraUse(wide, -0.5f)], _folder.File("other"));

        (Dictionary<string, float[]> both, Dictionary<string, float[]> other) = (Numbers("both", "transformer"), Numbers("other", "transformer"));
        Assert.All(both, b => Assert.InRange(Distance(b.Value, other[b.Key]), 0, 1e-6));
        KeyValuePair<string, float>[] named = [new("pytorch_lora_weights.safetensors", 0.75f), new("wide.safetensors", -0.5f)];
        Assert.Equal(named, OnnxModelFolder.Open(_folder.File("both")).Adapters);
        Assert.Equal(named, OnnxModelFolder.Open(_folder.File("other")).Adapters);
        string metadata = Parsed("other", "transformer").MetadataProps.Single(m => m.Key == "adapter").Value;
        Assert.Equal("pytorch_lora_weights.safetensors, strength 0.75; wide.safetensors, strength -0.5", metadata);

        OnnxMerger.Merge(_folder.File("other"), [new LoraUse(Lora, 2)], _folder.File("third"));
        Assert.Equal([.. named, new("pytorch_lora_weights.safetensors (2)", 2)], OnnxModelFolder.Open(_folder.File("third")).Adapters);
    }

    [Fact]
    public void Merge_OfAnAdapterInMemory_GivesWhatItsFileGives()
    {
        OnnxExporter.Export(Model, null, _folder.File("base"), new OnnxExportOptions { ReleaseFolder = Release });
        using LoraAdapter adapter = LoraAdapter.Load(Lora);

        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(Lora)], _folder.File("file"));
        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(adapter)], _folder.File("memory"));

        Assert.Equal(OnnxModelFolder.Open(_folder.File("file")).Hashes, OnnxModelFolder.Open(_folder.File("memory")).Hashes);
    }

    [Fact]
    public void Merge_WritesWhatChanges_AndSharesTheRest()
    {
        OnnxExportOptions options = new() { ReleaseFolder = Release, MostBytesInside = 0 };
        OnnxExporter.Export(Model, null, _folder.File("base"), options);
        Dictionary<string, byte[]> before = Directory.EnumerateFiles(_folder.File("base"), "*", SearchOption.AllDirectories)
            .ToDictionary(f => f, File.ReadAllBytes);

        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(Lora)], _folder.File("merged"));

        (OnnxModelFolder origin, OnnxModelFolder merged) = (OnnxModelFolder.Open(_folder.File("base")), OnnxModelFolder.Open(_folder.File("merged")));
        merged.CheckHashes();
        Assert.Equal(
            ["transformer/model.onnx", "transformer/model.onnx.data"],
            merged.Hashes.Where(h => origin.Hashes.GetValueOrDefault(h.Key) != h.Value).Select(h => h.Key).Order(StringComparer.Ordinal));
        Assert.Equal(origin.Files.Keys.Order(), merged.Files.Keys.Order());
        Assert.All(before, f => Assert.Equal(f.Value, File.ReadAllBytes(f.Key)));
        Assert.Contains("lora/pytorch_lora_weights.safetensors", merged.Source.Headers.Keys);
        Assert.Equal(origin.Source.Headers.Count + 1, merged.Source.Headers.Count);
    }

    [Fact]
    public void Merge_IntoWeightsInSeveralFiles()
    {
        OnnxExportOptions options = new() { ReleaseFolder = Release, MostBytesInside = 0, MostBytesBeside = 1_000_000 };
        using FluxTransformer larger = new(Larger);
        string model = ModelWith(larger);
        OnnxExporter.Export(model, null, _folder.File("base"), options with { ReleaseFolder = null });
        string[] files =
            [.. OnnxModelFolder.Open(_folder.File("base")).Files.Keys.Where(f => f.StartsWith("transformer/model.onnx.data", StringComparison.Ordinal))];
        Assert.True(files.Length > 2, string.Join(", ", files));
        Assert.Equal($"transformer/model.onnx.data-00001-of-{files.Length:00000}", files.Order(StringComparer.Ordinal).First());
        Assert.All(files, f => Assert.InRange(new FileInfo(_folder.File("base", f)).Length, 1, 1_000_000));
        string adapter = AdapterOf(larger);
        OnnxExporter.Export(model, new LoraUse(adapter), _folder.File("exported"), options with { ReleaseFolder = null });

        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(adapter)], _folder.File("merged"));

        OnnxModelFolder.Open(_folder.File("merged")).CheckHashes();
        (Dictionary<string, float[]> expected, Dictionary<string, float[]> found) = (Numbers("exported", "transformer"), Numbers("merged", "transformer"));
        Assert.All(expected, e => Assert.InRange(Distance(e.Value, found[e.Key]), 0, 1e-6));
        Assert.InRange(Difference(Drawn("exported"), Drawn("merged")), 0, 1);
    }

    [Fact]
    public void Merge_OfAPartForClip_ChangesItsTextEncoder()
    {
        Dictionary<string, Tensor> tensors = new() { ["proj_out.lora_A.weight"] = ones(1, 32), ["proj_out.lora_B.weight"] = ones(64, 1) };
        tensors.Add("text_encoder.text_model.encoder.layers.1.mlp.fc1.lora_A.weight", randn(2, 24));
        tensors.Add("text_encoder.text_model.encoder.layers.1.mlp.fc1.lora_B.weight", randn(48, 2));
        SafetensorsWriter.Write(_folder.File("lora.safetensors"), tensors);
        LoraUse use = new(_folder.File("lora.safetensors"), 0.5f) { TextEncoders = LoraTextEncoders.Apply };
        OnnxExporter.Export(Model, null, _folder.File("base"));
        OnnxExporter.Export(Model, use, _folder.File("exported"));

        OnnxMerger.Merge(_folder.File("base"), [use], _folder.File("merged"));

        (Dictionary<string, float[]> expected, Dictionary<string, float[]> found) = (Numbers("exported", "text_encoder"), Numbers("merged", "text_encoder"));
        Assert.Contains(Numbers("base", "text_encoder"), b => Distance(b.Value, expected[b.Key]) > 1e-2);
        Assert.All(expected, e => Assert.InRange(Distance(e.Value, found[e.Key]), 0, 1e-6));
    }

    [Fact]
    public void Merge_OfALayerHeldWhole_ReplacesIt()
    {
        Tensor weight = randn(32, 64);
        SafetensorsWriter.Write(_folder.File("lora.safetensors"), new Dictionary<string, Tensor>
        {
            ["transformer.proj_out.lora_A.weight"] = ones(1, 32),
            ["transformer.proj_out.lora_B.weight"] = ones(64, 1),
            ["transformer.c_embedder.weight"] = weight,
            ["transformer.c_embedder.bias"] = randn(32),
        });
        LoraUse use = new(_folder.File("lora.safetensors"));
        OnnxExportOptions options = new() { ReleaseFolder = Release, Target = GraphTarget.Cuda };
        OnnxExporter.Export(Model, null, _folder.File("base"), options);
        OnnxExporter.Export(Model, use, _folder.File("exported"), options);

        OnnxMerger.Merge(_folder.File("base"), [use], _folder.File("merged"));

        (Dictionary<string, float[]> expected, Dictionary<string, float[]> found) = (Numbers("exported", "transformer"), Numbers("merged", "transformer"));
        Assert.Equal(weight.t().contiguous().data<float>().ToArray(), found["c_embedder.weight"]);
        Assert.All(expected, e => Assert.InRange(Distance(e.Value, found[e.Key]), 0, 1e-6));
    }

    [Fact]
    public void Merge_OfABiasThatWasFolded_IsRefused()
    {
        SafetensorsWriter.Write(_folder.File("lora.safetensors"), new Dictionary<string, Tensor>
        {
            ["transformer.proj_out.lora_A.weight"] = ones(1, 32),
            ["transformer.proj_out.lora_B.weight"] = ones(64, 1),
            ["transformer.single_transformer_blocks.0.attn.to_v.bias"] = randn(32),
        });
        OnnxExporter.Export(Model, null, _folder.File("base"), new OnnxExportOptions { Target = GraphTarget.Cuda });

        Refused("lora.safetensors", "'single_transformer_blocks.0.attn.to_v.bias'", "folded", "export the model again");
    }

    [Theory]
    [InlineData(ExportPrecision.Int8)]
    [InlineData(ExportPrecision.Int4)]
    public void Merge_IntoWeightsOfFewBits_IsRefused(ExportPrecision precision)
    {
        OnnxExporter.Export(Model, null, _folder.File("base"), new OnnxExportOptions { Precision = precision });

        Refused(Lora, $"{precision}", "Export the model again");
    }

    [Fact]
    public void Merge_OfWhatTheModelLacks_IsRefusedWithAll()
    {
        SafetensorsWriter.Write(_folder.File("lora.safetensors"), new Dictionary<string, Tensor>
        {
            ["transformer.nowhere.lora_A.weight"] = ones(1, 8),
            ["transformer.nowhere.lora_B.weight"] = ones(8, 1),
            ["transformer.proj_out.lora_A.weight"] = ones(1, 31),
            ["transformer.proj_out.lora_B.weight"] = ones(64, 1),
        });
        OnnxExporter.Export(Model, null, _folder.File("base"));

        Refused("lora.safetensors", "'nowhere'", "'proj_out' of", "31 inputs");
    }

    [Fact]
    public void Merge_OfAStudentsAdapterIntoATeacher_IsRefused()
    {
        SafetensorsWriter.Write(_folder.File("lora.safetensors"), new Dictionary<string, Tensor>
        {
            ["transformer.c_embedder.lora_A.weight"] = ones(1, 64),
            ["transformer.c_embedder.lora_B.weight"] = ones(32, 1),
        });
        OnnxExporter.Export(Model, null, _folder.File("base"));

        Refused("lora.safetensors", "c_embedder", "text alone");
    }

    [Fact]
    public void Merge_ThatNoNumberHolds_IsRefused()
    {
        SafetensorsWriter.Write(_folder.File("lora.safetensors"), new Dictionary<string, Tensor>
        {
            ["transformer.proj_out.lora_A.weight"] = full([1, 32], 300f),
            ["transformer.proj_out.lora_B.weight"] = full([64, 1], 300f),
        });
        OnnxExporter.Export(Model, null, _folder.File("base"), new OnnxExportOptions { Precision = ExportPrecision.Float16 });

        Refused("lora.safetensors", "'proj_out.weight' once the adapter is merged", "65,504");
    }

    [Fact]
    public void Merge_IntoAModelOfOtherNodes_IsRefused()
    {
        OnnxExporter.Export(Model, null, _folder.File("base"));
        ModelProto model = Parsed("base", "transformer");
        model.Graph.Node[0].Name = "another";
        using TemporaryFolder copy = new();
        Runtime.ExportedModels.CopyWith(_folder.File("base"), copy, "transformer/model.onnx", Google.Protobuf.MessageExtensions.ToByteArray(model));

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxMerger.Merge(copy.Path, [new LoraUse(Lora)], _folder.File("merged")));

        Assert.Contains("other nodes", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("merged")));
    }

    [Theory]
    [InlineData("", "a graph")]
    [InlineData("what is this", "an ONNX model")]
    public void Merge_IntoAFileThatIsNoModel_IsRefused(string bytes, string says)
    {
        OnnxExporter.Export(Model, null, _folder.File("base"));
        using TemporaryFolder copy = new();
        Runtime.ExportedModels.CopyWith(_folder.File("base"), copy, "transformer/model.onnx", System.Text.Encoding.UTF8.GetBytes(bytes));

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxMerger.Merge(copy.Path, [new LoraUse(Lora)], _folder.File("merged")));

        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("merged")));
    }

    [Fact]
    public void Merge_OfAModelThatReadsElsewhere_IsRefused()
    {
        OnnxExporter.Export(Model, null, _folder.File("base"), new OnnxExportOptions { MostBytesInside = 0 });
        ModelProto model = Parsed("base", "transformer");
        foreach (StringStringEntryProto entry in model.Graph.Initializer.SelectMany(i => i.ExternalData).Where(d => d.Key == "location"))
        {
            entry.Value = "../vae_decoder/model.onnx.data";
        }
        using TemporaryFolder copy = new();
        Runtime.ExportedModels.CopyWith(_folder.File("base"), copy, "transformer/model.onnx", Google.Protobuf.MessageExtensions.ToByteArray(model));

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxMerger.Merge(copy.Path, [new LoraUse(Lora)], _folder.File("merged")));

        Assert.Contains("'../vae_decoder/model.onnx.data'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_OverItsOwnFolder_ReplacesItWhereThatIsAsked()
    {
        OnnxExporter.Export(Model, null, _folder.File("base"), new OnnxExportOptions { ReleaseFolder = Release });
        OnnxExporter.Export(Model, new LoraUse(Lora), _folder.File("exported"), new OnnxExportOptions { ReleaseFolder = Release });

        Assert.Throws<IOException>(() => OnnxMerger.Merge(_folder.File("base"), [new LoraUse(Lora)], _folder.File("base")));
        OnnxMerger.Merge(_folder.File("base"), [new LoraUse(Lora)], _folder.File("base"), new OnnxMergeOptions { Overwrite = true });

        OnnxModelFolder.Open(_folder.File("base")).CheckHashes();
        Assert.InRange(Difference(Drawn("exported"), Drawn("base")), 0, 1);
    }

    [Fact]
    public void Merge_ThatIsCancelled_LeavesNothing()
    {
        OnnxExporter.Export(Model, null, _folder.File("base"));
        using CancellationTokenSource stop = new();
        stop.Cancel();

        Assert.Throws<OperationCanceledException>(
            () => OnnxMerger.Merge(_folder.File("base"), [new LoraUse(Lora)], _folder.File("merged"), cancellationToken: stop.Token));

        Assert.Equal(["base"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Merge_OfNothing_IsRefused() =>
        Assert.Throws<ArgumentException>(() => OnnxMerger.Merge(_folder.File("base"), [], _folder.File("merged")));

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static FluxConfig Larger => new()
    {
        InChannels = 64,
        NumLayers = 1,
        NumSingleLayers = 1,
        AttentionHeadDim = 32,
        NumAttentionHeads = 4,
        JointAttentionDim = 32,
        PooledProjectionDim = 24,
        GuidanceEmbeds = true,
        AxesDimsRope = [8, 12, 12],
    };

    /// <summary>The fixtures' pipeline with another transformer.</summary>
    private string ModelWith(FluxTransformer transformer)
    {
        string model = _folder.File("model");
        foreach (string file in Directory.EnumerateFiles(Model, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(model, Path.GetRelativePath(Model, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        SafetensorsWriter.Write(Path.Combine(model, "transformer", "diffusion_pytorch_model.safetensors"), transformer.state_dict());
        File.WriteAllText(
            Path.Combine(model, "transformer", "config.json"), System.Text.Json.JsonSerializer.Serialize(Larger, new System.Text.Json.JsonSerializerOptions
            {
                PropertyNamingPolicy = System.Text.Json.JsonNamingPolicy.SnakeCaseLower,
            }));
        return model;
    }

    /// <summary>An adapter of every linear layer of the fixtures' student, modulation and condition among them.</summary>
    private string AdapterOfAllLayers()
    {
        using WeightSource student = WeightSource.Open(Path.Combine(Release, "transformer"));
        Dictionary<string, Tensor> tensors = [];
        using Generator random = new(4);
        foreach (string name in student.Names.Where(n => n.EndsWith(".weight", StringComparison.Ordinal) && student.Entry(n).Shape.Length == 2))
        {
            long[] shape = student.Entry(name).Shape;
            tensors.Add($"transformer.{name[..^".weight".Length]}.lora_A.weight", randn([3, shape[1]], generator: random) / Math.Sqrt(shape[1]));
            tensors.Add($"transformer.{name[..^".weight".Length]}.lora_B.weight", randn([shape[0], 3], generator: random) / 4);
        }
        Assert.Contains(tensors.Keys, k => k.Contains("norm1.linear", StringComparison.Ordinal));
        SafetensorsWriter.Write(_folder.File("wide.safetensors"), tensors);
        return _folder.File("wide.safetensors");
    }

    private string AdapterOf(FluxTransformer transformer)
    {
        string file = _folder.File("adapter.safetensors");
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Rank = 3, Targets = LoraOptions.AllTargets, Seed = 5 });
        using (Generator random = new(4))
        {
            foreach (LoraFactors factors in adapter.Factors.Values)
            {
                factors.B.copy_(randn(factors.B.shape, generator: random) / 4);
            }
        }
        adapter.Save(file);
        return file;
    }

    private void Refused(string adapter, params string[] says)
    {
        LoraUse use = new(Path.IsPathRooted(adapter) ? adapter : _folder.File(adapter));
        string[] before = [.. Directory.EnumerateFileSystemEntries(_folder.Path).Order()];

        WeightsException e = Assert.Throws<WeightsException>(() => OnnxMerger.Merge(_folder.File("base"), [use], _folder.File("merged")));

        Assert.All(says, text => Assert.Contains(text, e.Message, StringComparison.Ordinal));
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(_folder.Path).Order());
    }

    private Picture Drawn(string folder)
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File(folder));
        if (!OnnxModelFolder.Open(_folder.File(folder)).IsConditional)
        {
            return pipeline.Generate(
                [new TextToImageRequest("a fox", 7)], new TextToImageOptions { Width = 32, Height = 32, Steps = 2, MaxTextTokens = 16 })[0];
        }
        Picture reference = Pngs.Noisy(32, 32);
        return pipeline.Generate([new DsdRequest(reference, "a fox", 7)], new DsdOptions { Width = 32, Height = 32, Steps = 2, MaxTextTokens = 16 })[0];
    }

    private static int Difference(Picture one, Picture other) =>
        one.Pixels.ToArray().Zip(other.Pixels.ToArray()).Max(p => Math.Abs(p.First - p.Second));

    private ModelProto Parsed(string folder, string component)
    {
        using FileStream stream = File.OpenRead(_folder.File(folder, component, "model.onnx"));
        return ModelProto.Parser.ParseFrom(stream);
    }

    /// <summary>The real numbers of a model's constants.</summary>
    private Dictionary<string, float[]> Numbers(string folder, string component)
    {
        Dictionary<string, float[]> numbers = [];
        foreach (TensorProto tensor in Parsed(folder, component).Graph.Initializer)
        {
            ElementType? type = tensor.DataType switch { 1 => ElementType.Float32, 10 => ElementType.Float16, 16 => ElementType.BFloat16, _ => null };
            if (type is { } floats)
            {
                byte[] bytes = tensor.RawData.ToByteArray();
                if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
                {
                    Dictionary<string, string> place = tensor.ExternalData.ToDictionary(e => e.Key, e => e.Value);
                    bytes = File.ReadAllBytes(_folder.File(folder, component, place["location"]))
                        .AsSpan((int)long.Parse(place["offset"]), (int)long.Parse(place["length"])).ToArray();
                }
                float[] values = new float[bytes.Length / floats.Bytes()];
                floats.Read(bytes, values);
                numbers.Add(tensor.Name, values);
            }
        }
        return numbers;
    }

    /// <summary>The largest difference, by the largest number.</summary>
    private static double Distance(float[] one, float[] other) =>
        one.Zip(other).Max(p => Math.Abs(p.First - p.Second)) / Math.Max(1e-6, one.Max(Math.Abs));
}
