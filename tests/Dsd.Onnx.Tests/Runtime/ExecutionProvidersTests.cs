using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.ML.OnnxRuntime;
using static Dsd.Onnx.Runtime.OnnxProvider;

namespace Dsd.Onnx.Tests.Runtime;

public class ExecutionProvidersTests
{
    private readonly List<string> _warnings = [];

    [Fact]
    public void Choose_TakesTheFirst_AndAsksForNoOther()
    {
        StandInProviders providers = new(Cuda, DirectMl);

        Assert.Equal([Cuda], Choose(providers, Cuda, DirectMl, Cpu).Chosen);
        Assert.Equal([Cuda], providers.Asked);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Choose_FallsBackToWhatWasNamed_AndSaysWhy()
    {
        Assert.Equal([DirectMl], Choose(new StandInProviders(DirectMl), Cuda, WebGpu, DirectMl, Cpu).Chosen);

        string warning = Assert.Single(_warnings);
        Assert.Contains("DirectML computes", warning, StringComparison.Ordinal);
        Assert.Contains("There is no Cuda. There is no WebGpu.", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_FallsBackToTheProcessor_OnlyWhereItWasNamed()
    {
        Assert.Equal([Cpu], Choose(new StandInProviders(), CoreMl, Cpu).Chosen);
        Assert.Contains("There is no CoreMl.", Assert.Single(_warnings), StringComparison.Ordinal);

        Assert.Equal("There is no CoreMl.", Assert.Throws<NotSupportedException>(() => Choose(new StandInProviders(), CoreMl)).Message);
        string both = Assert.Throws<NotSupportedException>(() => Choose(new StandInProviders(), CoreMl, WebGpu)).Message;
        Assert.EndsWith("There is no CoreMl. There is no WebGpu.", both, StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_PutsCudaBehindTensorRt_WhereItWasNamed()
    {
        Assert.Equal([TensorRt, Cuda], Choose(new StandInProviders(TensorRt, Cuda), TensorRt, Cuda, Cpu).Chosen);
        Assert.Equal([TensorRt], Choose(new StandInProviders(TensorRt, Cuda), TensorRt, Cpu).Chosen);
        Assert.Empty(_warnings);

        Assert.Equal([TensorRt], Choose(new StandInProviders(TensorRt), TensorRt, Cuda).Chosen);
        Assert.Contains("What TensorRT lacks runs on the CPU", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_SaysSo_WhereAProviderDoesNotStart()
    {
        NotSupportedException e = Assert.Throws<NotSupportedException>(() => ExecutionProviders.Choose(Options(Cuda), new NoDevice()));

        Assert.Contains("CUDA, but it does not start", e.Message, StringComparison.Ordinal);
    }

    /// <summary>This build of ONNX Runtime has the processor alone.</summary>
    [Theory]
    [InlineData(Cuda, "Microsoft.ML.OnnxRuntime.Gpu")]
    [InlineData(TensorRt, "TensorRT's libraries")]
    [InlineData(DirectMl, "Microsoft.ML.OnnxRuntime.DirectML")]
    [InlineData(CoreMl, "macOS")]
    [InlineData(WebGpu, "provider library")]
    public void AProviderThatCannotBeHad_IsOneErrorThatSaysWhatToAdd(OnnxProvider provider, string toAdd)
    {
        NotSupportedException e = Assert.Throws<NotSupportedException>(() => OnnxPipeline.RequireProvider(Options(provider)));

        Assert.Contains($"has no {ProviderTraits.Of(provider).Title} here: its build says '", e.Message, StringComparison.Ordinal);
        Assert.Contains(toAdd, e.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(OnnxRuntimeOptions.ProviderLibraries), e.Message, StringComparison.Ordinal);
    }

    /// <summary>What a build with CUDA says on a machine without CUDA's libraries.</summary>
    [Fact]
    public void AProviderThatCannotBeLoaded_IsToldWithoutThePlaceInOnnxRuntimesSource()
    {
        InvalidOperationException e = new(
            "[ErrorCode:Fail] /onnxruntime_src/core/provider_bridge_ort.cc:2043 Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library p.so with error: "
                + "libcublasLt.so.13: cannot open shared object file: No such file or directory ");

        Assert.Equal(
            "ONNX Runtime's build has CUDA, but cannot load it: Failed to load library p.so with error: libcublasLt.so.13: cannot open shared object file: "
                + "No such file or directory. Check that the driver fits and that the libraries it needs are installed, or use another provider.",
            ProviderAppender.CannotLoad(ProviderTraits.Of(Cuda), e));
        Assert.Equal("It is so.", ProviderAppender.Said(new InvalidOperationException("It is so.")));
    }

    [Theory]
    [InlineData(Cuda)]
    [InlineData(WebGpu)]
    public void ALibraryThatIsNone_IsNamed_WithTheReason(OnnxProvider provider)
    {
        using TemporaryFolder folder = new();
        string library = folder.File("libprovider.so");
        File.WriteAllText(library, "no library");
        OnnxRuntimeOptions options = Options(provider) with { ProviderLibraries = new Dictionary<OnnxProvider, string> { [provider] = library } };

        string message = Assert.Throws<NotSupportedException>(() => OnnxPipeline.RequireProvider(options)).Message;

        Assert.Contains($"'{library}' for {ProviderTraits.Of(provider).Title}: ", message, StringComparison.Ordinal);
        Assert.Contains("[ErrorCode:Fail]", message, StringComparison.Ordinal);
        // The next one may still be had.
        options = options with { Providers = [provider, Cpu] };
        Assert.Equal([Cpu], ExecutionProviders.Choose(options, ProviderAppender.Real).Chosen);
        Assert.Contains(library, Assert.Single(_warnings), StringComparison.Ordinal);
    }

    private ExecutionProviders Choose(StandInProviders appender, params OnnxProvider[] providers) => ExecutionProviders.Choose(Options(providers), appender);

    private OnnxRuntimeOptions Options(params OnnxProvider[] providers) => new() { Providers = providers, Warn = _warnings.Add };

    /// <summary>A provider that is found to have no device only when a model is opened, as CUDA's is.</summary>
    private sealed class NoDevice : IProviderAppender
    {
        // ONNX Runtime reads the number of optimised operators when it opens a model, and refuses what is none.
        public void Append(SessionOptions session, OnnxProvider provider, OnnxRuntimeOptions options) =>
            session.AddSessionConfigEntry("session.graph_optimizations_loop_level", "no number");
    }
}
