using Dsd.Onnx.Runtime;
using static Dsd.Onnx.Runtime.OnnxProvider;

namespace Dsd.Onnx.Tests.Runtime;

public class OnnxRuntimeOptionsTests
{
    [Theory]
    [InlineData("cpu", 0, Cpu)]
    [InlineData("cuda", 0, Cuda)]
    [InlineData("cuda:12", 12, Cuda)]
    [InlineData("tensorrt:1,cuda:1,cpu", 1, TensorRt, Cuda, Cpu)]
    [InlineData("directml,webgpu,coreml", 0, DirectMl, WebGpu, CoreMl)]
    public void On_ReadsDevices(string devices, int number, params OnnxProvider[] providers)
    {
        OnnxRuntimeOptions options = new OnnxRuntimeOptions { Threads = 3 }.On(devices);

        Assert.Equal(providers, options.Providers);
        Assert.Equal((number, 3), (options.Device, options.Threads));
    }

    [Theory]
    [InlineData("")]
    [InlineData("tpu")]
    [InlineData("CUDA")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:1:2")]
    [InlineData("cuda:1000")]
    [InlineData("cpu:0")]
    [InlineData("coreml:1")]
    [InlineData("cuda, cpu")]
    [InlineData("cuda,")]
    [InlineData("cuda,cuda")]
    [InlineData("cpu,cuda")]
    [InlineData("tensorrt:1,cuda")]
    public void On_RefusesWhatNamesNone(string devices) => Assert.ThrowsAny<ArgumentException>(() => new OnnxRuntimeOptions().On(devices));

    [Fact]
    public void Providers_AreAList_WithTheProcessorLast()
    {
        Assert.Equal([Cpu], new OnnxRuntimeOptions().Providers);
        IsRefused("at least one", []);
        IsRefused("once, but is Cuda, Cuda", [Cuda, Cuda]);
        IsRefused("Cpu last, since it can always be had, but is Cpu, Cuda", [Cpu, Cuda]);
        Assert.ThrowsAny<ArgumentException>(() => new OnnxRuntimeOptions { Providers = [(OnnxProvider)99] });
        Assert.Throws<ArgumentNullException>(() => new OnnxRuntimeOptions { Providers = null! });

        static void IsRefused(string said, OnnxProvider[] providers) =>
            Assert.Contains(said, Assert.Throws<ArgumentException>(() => new OnnxRuntimeOptions { Providers = providers }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CudasSettings_AreThoseOfTheOptions()
    {
        OnnxRuntimeOptions options = new() { Providers = [Cuda], AllowTf32 = true, CudaGraphs = true, MemoryBytes = 1L << 33 };

        Assert.Equal(
            [
                new("arena_extend_strategy", "kSameAsRequested"), new("cudnn_conv_algo_search", "HEURISTIC"), new("enable_cuda_graph", "1"),
                new("gpu_mem_limit", "8589934592"), new("prefer_nhwc", "1"), new("use_tf32", "1"),
            ],
            ProviderAppender.Settings(Cuda, options).OrderBy(s => s.Key, StringComparer.Ordinal));
        Assert.Equal(
            [
                new("arena_extend_strategy", "kSameAsRequested"), new("cudnn_conv_algo_search", "HEURISTIC"), new("enable_cuda_graph", "0"),
                new("prefer_nhwc", "1"), new("use_tf32", "0"),
            ],
            ProviderAppender.Settings(Cuda, new OnnxRuntimeOptions()).OrderBy(s => s.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void AList_CannotBeChangedLater()
    {
        OnnxProvider[] providers = [Cuda, Cpu];
        OnnxRuntimeOptions options = new() { Providers = providers };

        providers[0] = WebGpu;

        Assert.Equal([Cuda, Cpu], options.Providers);
    }

    [Fact]
    public void WhatNoProviderWouldUse_IsRefused()
    {
        Dictionary<OnnxProvider, string> library = new() { [Cuda] = "cuda.so" };
        IsRefused("Option Device", new OnnxRuntimeOptions { Device = 1 });
        IsRefused("Option Device", new OnnxRuntimeOptions { Providers = [CoreMl, Cpu], Device = 1 });
        IsRefused("Option MemoryBytes", new OnnxRuntimeOptions { Providers = [DirectMl], MemoryBytes = 1L << 30 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new OnnxRuntimeOptions { MemoryBytes = 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new OnnxRuntimeOptions { PromptCacheBytes = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new OnnxRuntimeOptions { Memory = (OnnxMemoryMode)9 });
        IsRefused("Option AllowTf32", new OnnxRuntimeOptions { Providers = [DirectMl], AllowTf32 = true });
        new OnnxRuntimeOptions { AllowTf32 = false }.Validate();
        IsRefused("Option CudaGraphs", new OnnxRuntimeOptions { CudaGraphs = true });
        IsRefused(
            "CudaGraphs needs a transformer that stays open, but Memory is IdleClosed",
            new OnnxRuntimeOptions { Providers = [Cuda], CudaGraphs = true, Memory = OnnxMemoryMode.IdleClosed });
        IsRefused("a library for Cuda", new OnnxRuntimeOptions { Providers = [TensorRt, Cpu], ProviderLibraries = library });
        Assert.ThrowsAny<ArgumentException>(() => new OnnxRuntimeOptions { ProviderLibraries = new Dictionary<OnnxProvider, string> { [Cuda] = " " } });
        new OnnxRuntimeOptions { Providers = [TensorRt, Cuda], Device = 1, AllowTf32 = true, ProviderLibraries = library }.Validate();

        static void IsRefused(string said, OnnxRuntimeOptions options) =>
            Assert.Contains(said, Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
    }
}
