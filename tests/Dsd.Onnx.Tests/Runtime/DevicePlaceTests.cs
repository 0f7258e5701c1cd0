using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Tests.Runtime;

/// <summary>
/// The way of a device, with the processor in the device's place: what is copied by models instead of by the host, and that the host touches nothing that
/// lies on the device.
/// </summary>
public sealed class DevicePlaceTests(ExportedModels models) : IClassFixture<ExportedModels>, IDisposable
{
    private readonly DevicePlace _place = OnProcessor();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Numbers_ComeBackFromTheDevice()
    {
        using OnnxTensor host = OnnxTensor.Of([1f, 2, 3, 4, 5, 6], 2, 3);
        using OnnxTensor there = _place.FromHost(host);
        using OnnxTensor back = _place.ToHost(there);

        Assert.Equal([1, 2, 3, 4, 5, 6], back.Floats.ToArray());
        Assert.Equal([2, 3], back.Shape);
        Assert.Contains("device", Assert.Throws<InvalidOperationException>(() => there.Floats[0]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Copy_MovesAPart_OfAnyType()
    {
        using OnnxTensor host = OnnxTensor.Of([1L, 2, 3, 4, 5, 6], 6);
        using OnnxTensor from = _place.FromHost(host);
        using OnnxTensor zeros = OnnxTensor.Of(new long[4], 4);
        using OnnxTensor to = _place.FromHost(zeros);

        _place.Copy(from, 2, to, 1, 3);

        using OnnxTensor copy = OnnxTensor.CopyOf(to.Value);
        Assert.Equal([0, 3, 4, 5], copy.Value.GetTensorDataAsSpan<long>().ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => _place.Copy(from, 4, to, 0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => _place.Copy(from, 0, to, 2, 3));
    }

    [Fact]
    public void AddScaled_AddsOnTheDevice()
    {
        using OnnxTensor a = OnnxTensor.Of([1f, 2], 1, 2);
        using OnnxTensor b = OnnxTensor.Of([10f, 20], 1, 2);
        using OnnxTensor y = _place.FromHost(b);
        using OnnxTensor sum = _place.AddScaled(_place.FromHost(a), 0.5f, y);
        using OnnxTensor host = _place.ToHost(sum);

        Assert.Equal([6, 12], host.Floats.ToArray());
    }

    [Fact]
    public void View_LooksAtAPart()
    {
        using OnnxTensor host = OnnxTensor.Of([1f, 2, 3, 4], 4);
        using OnnxTensor there = _place.FromHost(host);
        using OnnxTensor part = _place.View(there, 1, 1, 2);
        using OnnxTensor back = _place.ToHost(part);

        Assert.Equal([2, 3], back.Floats.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => _place.View(there, 3, 2));
    }

    [Theory]
    [InlineData(false, 1f, 1f)]
    [InlineData(false, 1.5f, 2f)]
    [InlineData(true, 1f, 2f)]
    public void Pictures_AreTheSameAsOnTheHost(bool cuda, float image, float text)
    {
        string folder = cuda ? models.Cuda : models.Adapted;
        DsdOptions options = new() { Width = 48, Height = 32, Steps = 3, MaxTextTokens = 16, ImageGuidance = image, TextGuidance = text };
        Picture reference = new(32, 20, [.. Enumerable.Range(0, 32 * 20 * 3).Select(i => (byte)(i * i / 7))]);
        DsdRequest[] requests = [new(reference, "a fox", 7), new(reference, "a dragon", 8)];
        using OnnxPipeline host = OnnxPipeline.Open(folder);
        using OnnxPipeline device = OnnxPipeline.Open(folder);
        device.Model.Sessions.Place = OnProcessor();

        IReadOnlyList<Picture> expected = host.Generate(requests, options);
        IReadOnlyList<Picture> found = device.Generate(requests, options);

        Assert.All(expected.Zip(found), p => Assert.InRange(Most(p.First, p.Second), 0, 1));
    }

    [Fact]
    public void GraphsForCuda_DrawWhatPortableOnesDo_RowAfterRow()
    {
        DsdOptions options = new() { Width = 48, Height = 32, Steps = 3, MaxTextTokens = 16, ImageGuidance = 1.5f, TextGuidance = 2 };
        Picture reference = new(32, 20, [.. Enumerable.Range(0, 32 * 20 * 3).Select(i => (byte)(i * i / 7))]);
        DsdRequest[] requests = [new(reference, "a fox", 7), new(reference, "a dragon", 8)];
        using OnnxPipeline portable = OnnxPipeline.Open(models.Adapted);
        using OnnxPipeline cuda = OnnxPipeline.Open(models.Cuda);

        IReadOnlyList<Picture> expected = portable.Generate(requests, options);
        IReadOnlyList<Picture> found = cuda.Generate(requests, options);

        Assert.All(expected.Zip(found), p => Assert.InRange(Most(p.First, p.Second), 0, 1));
    }

    [Fact]
    public void ADisposedPipeline_KeepsThePlaceForWhatStillComputesThere()
    {
        OnnxSessions sessions = new(OnnxModelFolder.Open(models.Adapted), new OnnxRuntimeOptions());
        Watched place = new();
        sessions.Place = place;
        OnnxSessions.Lease used = sessions.Use("vae_decoder");

        sessions.Dispose();

        Assert.False(place.IsDisposed);
        used.Dispose();
        Assert.True(place.IsDisposed);
    }

    [Fact]
    public void WhatTheProcessorCannotRun_IsSaid()
    {
        using TemporaryFolder temporary = new();
        string folder = temporary.File("bf16");
        OnnxExporter.Export(
            Fixtures.Path("tiny-flux"), null, folder, new OnnxExportOptions { Precision = ExportPrecision.BFloat16, Target = GraphTarget.Cuda });
        using OnnxPipeline pipeline = OnnxPipeline.Open(folder);

        string message = Assert.Throws<WeightsException>(
            () => pipeline.Generate([new TextToImageRequest("a fox", 7)], new TextToImageOptions { Width = 32, Height = 32, Steps = 1 })).Message;

        Assert.Contains("BFloat16 for Cuda", message, StringComparison.Ordinal);
        Assert.Contains("Draw with CUDA", message, StringComparison.Ordinal);
    }

    private static int Most(Picture a, Picture b) => a.Pixels.ToArray().Zip(b.Pixels.ToArray(), (x, y) => Math.Abs(x - y)).Max();

    private static DevicePlace OnProcessor() => new(() => new SessionOptions(), "Cpu", 0);

    /// <summary>A place that is never used, and knows whether it was disposed.</summary>
    private sealed class Watched : TensorPlace
    {
        public bool IsDisposed { get; private set; }

        protected override OrtMemoryInfo Memory => throw new NotSupportedException();

        protected override bool OnHost => throw new NotSupportedException();

        protected override OrtAllocator Allocator => throw new NotSupportedException();

        public override OnnxTensor ToHost(OnnxTensor tensor) => throw new NotSupportedException();

        public override void Copy(OnnxTensor from, int first, OnnxTensor to, int place, int count) => throw new NotSupportedException();

        public override OnnxTensor AddScaled(OnnxTensor x, float scale, OnnxTensor y) => throw new NotSupportedException();

        public override void Dispose()
        {
            IsDisposed = true;
            base.Dispose();
        }

        public override void CopyFromHost(OnnxTensor tensor, OnnxTensor here) => throw new NotSupportedException();
    }
}
