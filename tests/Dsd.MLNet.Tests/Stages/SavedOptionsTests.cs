using System.Text.Json.Nodes;
using Dsd.MLNet.Generation;
using Dsd.MLNet.Stages.Saving;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Onnx.Runtime;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>How options stand in saved models.</summary>
public sealed class SavedOptionsTests
{
    private const string Pipeline =
        """
        {"DType":"BFloat16","TransformerFile":null,"VaeFile":"v.safetensors","Loras":[],"VaeTileSide":null,"Memory":"IdleOnHost","Float8":true}
        """;

    [Fact]
    public void TheFirstForm_WithAnOnnxFolder()
    {
        DsdGeneratorOptions options = Read("""{"Model":"m","Torch":null,"OnnxFolder":"models","Sampling":null}""");
        Assert.Equal(("m", "models"), (options.Model, Assert.IsType<OnnxGeneration>(options.Backend).Folder));
    }

    [Fact]
    public void TheFirstForm_WithTorch()
    {
        DsdGeneratorOptions options = Read($$"""{"Torch":{{Pipeline}},"OnnxFolder":null,"Sampling":{"Steps":7,"BlockCache":0.25} }""");
        TorchGeneration torch = Assert.IsType<TorchGeneration>(options.Backend);
        Assert.Equal(0.25f, torch.BlockCache);
        Assert.Equal((MemoryMode.IdleOnHost, true, "v.safetensors"), (torch.Pipeline.Memory, torch.Pipeline.Float8, torch.Pipeline.VaeFile));
        Assert.Equal((7, 0f), (options.Sampling!.Steps, options.Sampling.BlockCache));
    }

    [Fact]
    public void TodaysForm_KeepsTheBackend()
    {
        TorchGeneration torch = new() { Pipeline = new PipelineOptions { VaeTileSide = 512 }, BlockCache = 0.1f };
        DsdGeneratorOptions read = Read(ModelEntry.Text(new DsdGeneratorOptions { Backend = torch }));
        TorchGeneration found = Assert.IsType<TorchGeneration>(read.Backend);
        Assert.Equal((512, 0.1f), (found.Pipeline.VaeTileSide, found.BlockCache));
        string folder = ModelEntry.Text(new DsdGeneratorOptions { Backend = new OnnxGeneration { Folder = "models" } });
        Assert.Equal("models", Assert.IsType<OnnxGeneration>(Read(folder).Backend).Folder);
    }

    [Fact]
    public void TodaysForm_KeepsDevicesAndOptionsOfOnnxRuntime()
    {
        OnnxRuntimeOptions runtime = new()
        {
            Threads = 3,
            AllowTf32 = true,
            MemoryBytes = 1L << 33,
            CudaGraphs = true,
            Memory = OnnxMemoryMode.ModulationClosed,
            ProviderLibraries = new Dictionary<OnnxProvider, string> { [OnnxProvider.WebGpu] = "webgpu.so" },
        };
        DsdGeneratorOptions options = new() { Device = "cuda:1,webgpu,cpu", Backend = new OnnxGeneration { Runtime = runtime } };
        DsdGeneratorOptions read = Read(ModelEntry.Text(options));
        Assert.Equal("cuda:1,webgpu,cpu", read.Device);
        OnnxRuntimeOptions found = Assert.IsType<OnnxGeneration>(read.Backend).Runtime;
        Assert.Equal((1L << 33, true, OnnxMemoryMode.ModulationClosed), (found.MemoryBytes, found.CudaGraphs, found.Memory));
        Assert.Equal((3, true, "webgpu.so"), (found.Threads, found.AllowTf32, found.ProviderLibraries[OnnxProvider.WebGpu]));
        Assert.Null(Assert.IsType<OnnxGeneration>(Read("""{"Backend":{"Kind":"Onnx","Folder":null}}""").Backend).Runtime.Threads);
    }

    [Fact]
    public void DevicesOfOnnxRuntime_AreTheStagesOption()
    {
        IsRefused(new OnnxRuntimeOptions { Providers = [OnnxProvider.Cuda] });
        IsRefused(new OnnxRuntimeOptions { Device = 1 });
        IsRefused(new OnnxRuntimeOptions { Warn = _ => { } });
        Assert.Contains("Option Device", Assert.Throws<ArgumentException>(() => new DsdGeneratorOptions { Device = "tpu" }).Message);

        static void IsRefused(OnnxRuntimeOptions runtime) =>
            Assert.Contains("Option Runtime", Assert.Throws<ArgumentException>(() => new OnnxGeneration { Runtime = runtime }).Message);
    }

    [Fact]
    public void TheAdaptersOfAPipeline_AreSavedAsTheirFiles()
    {
        LoraUse lora = new("a.safetensors", -0.5f) { TextEncoders = LoraTextEncoders.Apply };
        string text = ModelEntry.Text(new DsdGeneratorOptions { Backend = new TorchGeneration { Pipeline = new PipelineOptions { Loras = [lora] } } });
        JsonNode saved = JsonNode.Parse(text)!["Backend"]!["Pipeline"]!["Loras"]![0]!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"File":"a.safetensors","Scale":-0.5,"TextEncoders":"Apply"}"""), saved));
        Assert.Equal([lora], Assert.IsType<TorchGeneration>(Read(text).Backend).Pipeline.Loras);
    }

    [Fact]
    public void DeviceAndWarnings_AreNotSaved()
    {
        JsonObject saved = JsonNode.Parse(ModelEntry.Text(new DsdGeneratorOptions { Backend = new TorchGeneration() }))!["Backend"]!["Pipeline"]!.AsObject();
        Assert.Equal(["DType", "TransformerFile", "VaeFile", "Loras", "VaeTileSide", "Memory", "Float8"], saved.Select(p => p.Key));
        saved = JsonNode.Parse(ModelEntry.Text(new DsdGeneratorOptions()))!["Backend"]!["Runtime"]!.AsObject();
        Assert.Equal(["Threads", "AllowTf32", "MemoryBytes", "CudaGraphs", "Memory", "PromptCacheBytes", "ProviderLibraries"], saved.Select(p => p.Key));
        saved = JsonNode.Parse(ModelEntry.Text(new LoraFineTunerOptions()))!["Base"]!.AsObject();
        Assert.Equal(["DType", "Setting", "MemoryBytes", "TransformerFile"], saved.Select(p => p.Key));
    }

    [Theory]
    [InlineData("""{"LoraTextEncoders":1}""")]
    [InlineData("""{"LoraTextEncoders":"1"}""")]
    [InlineData("""{"Backend":{"Kind":"Tensor"}}""")]
    [InlineData("""{"Backend":{"Kind":"Onnx","Pipeline":null}}""")]
    [InlineData("""{"Backend":null}""")]
    [InlineData("""{"Surprise":1}""")]
    [InlineData("null")]
    [InlineData("[]")]
    public void WhatIsNoOption_IsRefused(string json) => Assert.Throws<InvalidDataException>(() => Read(json));

    private static DsdGeneratorOptions Read(string json) => ModelEntry.Read<DsdGeneratorOptions>(json, GeneratorOptionsUpgrade.Apply);
}
