using Dsd.Common.Files;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.ML.OnnxRuntime;
using static Dsd.Onnx.Runtime.OnnxMemoryMode;

namespace Dsd.Onnx.Tests.Runtime;

public class OnnxSessionsTests(ExportedModels models) : IClassFixture<ExportedModels>
{
    [Fact]
    public void Resident_KeepsWhatWasUsed()
    {
        using OnnxSessions sessions = Sessions(Resident);

        sessions.Use("vae_decoder").Dispose();
        sessions.Use("text_encoder").Dispose();

        Assert.Equal(["text_encoder", "vae_decoder"], sessions.OpenComponents.Order());
    }

    [Fact]
    public void IdleClosed_KeepsWhatWasUsedLast()
    {
        using OnnxSessions sessions = Sessions(IdleClosed);

        using (OnnxSessions.Lease first = sessions.Use("vae_decoder"))
        {
            InferenceSession session = first.Session;
            sessions.Use("vae_decoder").Dispose();
            using OnnxSessions.Lease again = sessions.Use("vae_decoder");
            Assert.Same(session, again.Session);
        }
        Assert.Equal(["vae_decoder"], sessions.OpenComponents);

        sessions.Use("text_encoder").Dispose();
        Assert.Equal(["text_encoder"], sessions.OpenComponents);
    }

    [Fact]
    public void IdleClosed_LeavesWhatIsInUse_UntilItIsLetGo()
    {
        using OnnxSessions sessions = Sessions(IdleClosed);
        OnnxSessions.Lease used = sessions.Use("vae_decoder");
        InferenceSession session = used.Session;

        sessions.Use("text_encoder").Dispose();
        Assert.Equal(["text_encoder", "vae_decoder"], sessions.OpenComponents.Order());
        Assert.NotEmpty(session.OutputNames);

        used.Dispose();
        used.Dispose();
        Assert.Equal(["text_encoder"], sessions.OpenComponents);
        Assert.Throws<ObjectDisposedException>(() => used.Session);
    }

    [Theory]
    [InlineData(Resident)]
    [InlineData(IdleClosed)]
    public void Dispose_ClosesWhatIsInUse_WhenItIsLetGo(OnnxMemoryMode mode)
    {
        OnnxSessions sessions = Sessions(mode);
        OnnxSessions.Lease used = sessions.Use("vae_decoder");

        sessions.Dispose();

        Assert.Equal(["vae_decoder"], sessions.OpenComponents);
        Assert.NotEmpty(used.Session.OutputNames);
        Assert.Throws<ObjectDisposedException>(() => sessions.Use("vae_decoder"));
        used.Dispose();
        Assert.Empty(sessions.OpenComponents);
    }

    /// <summary>The loop counts to 2⁵⁰: only a cancellation ends the run.</summary>
    [Fact]
    public async Task Run_EndsWithinARun_WhenCancelled_AndTheSessionStaysUsable()
    {
        using TemporaryFolder temporary = new();
        using OnnxSessions sessions = new(Counting(temporary), new OnnxRuntimeOptions());
        using OnnxTensor many = OnnxTensor.Of([1L << 50], 1);
        using OnnxTensor few = OnnxTensor.Of([3L], 1);
        using CancellationTokenSource source = new();

        Task run = Task.Run(() => sessions.Run("vae_decoder", [("count", many)], source.Token));
        // The run has to be under way: the session is open before it begins.
        while (sessions.Placements.Count == 0)
        {
            await Task.Delay(10);
        }
        await Task.Delay(200);
        Assert.False(run.IsCompleted);
        source.Cancel();

        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(source.Token, e.CancellationToken);
        Assert.Equal([3f], Values(sessions.Run("vae_decoder", [("count", few)])));
    }

    [Fact]
    public void Run_OfACancelledCall_OpensNothing()
    {
        using OnnxSessions sessions = Sessions(Resident);
        using OnnxTensor latent = OnnxTensor.Of(new float[16], 1, 1, 4, 4);

        Assert.ThrowsAny<OperationCanceledException>(() => sessions.Run("vae_decoder", [("latent", latent)], new CancellationToken(canceled: true)));

        Assert.Empty(sessions.OpenComponents);
    }

    /// <summary>A graph of so many nodes takes ONNX Runtime a second or more to open.</summary>
    [Fact]
    public async Task Opening_Ends_WhenCancelled()
    {
        GraphBuilder graph = new("long");
        Value value = graph.Input("latent", "batch");
        for (int i = 0; i < 20_000; i++)
        {
            value = graph.Mul(graph.Add(value, graph.Float(i)), value);
        }
        graph.Output("y", value, "batch");
        using TemporaryFolder written = new();
        ModelWriter.Write(graph, new HashedFolder(written.Path), long.MaxValue, ModelWriter.MostBytesBeside, CancellationToken.None);
        using TemporaryFolder temporary = new();
        string file = $"vae_decoder/{ModelWriter.ModelFile}";
        OnnxModelFolder folder = ExportedModels.CopyWith(models.Teacher, temporary, file, File.ReadAllBytes(written.File(ModelWriter.ModelFile)));
        using OnnxSessions sessions = new(folder, new OnnxRuntimeOptions());
        using CancellationTokenSource source = new();

        Task opening = Task.Run(() => sessions.Use("vae_decoder", source.Token).Dispose());
        await Task.Delay(100);
        Assert.False(opening.IsCompleted, $"{opening.Exception}");
        source.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Empty(sessions.OpenComponents);
        sessions.Use("text_encoder").Dispose();
    }

    /// <summary>Cancelling just as runs end: the registration must be gone before the options that it would set.</summary>
    [Fact]
    public void Run_MayEndWhileItIsCancelled()
    {
        using TemporaryFolder temporary = new();
        using OnnxSessions sessions = new(Counting(temporary), new OnnxRuntimeOptions());
        using OnnxTensor few = OnnxTensor.Of([100L], 1);
        for (int i = 0; i < 300; i++)
        {
            using CancellationTokenSource source = new();
            using Barrier together = new(2);
            Thread other = new(() =>
            {
                together.SignalAndWait();
                source.Cancel();
            });
            other.Start();
            together.SignalAndWait();
            try
            {
                Assert.Equal([100f], Values(sessions.Run("vae_decoder", [("count", few)], source.Token)));
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(source.Token, e.CancellationToken);
            }
            other.Join();
        }
        Assert.Equal([100f], Values(sessions.Run("vae_decoder", [("count", few)])));
    }

    [Fact]
    public void Run_NamesTheModel_WhereItFails()
    {
        using OnnxSessions sessions = Sessions(Resident);
        using OnnxTensor latent = OnnxTensor.Of(new float[3], 3);

        string message = Assert.Throws<InvalidOperationException>(() => sessions.Run("vae_decoder", [("latent", latent)])).Message;

        Assert.Contains(Path.Combine(models.Teacher, "vae_decoder", "model.onnx"), message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMemoryLimit_BelowAComponentsWeights_IsRefused()
    {
        using TemporaryFolder temporary = new();
        OnnxModelFolder folder = Counting(temporary);
        OnnxRuntimeOptions options = new() { Providers = [OnnxProvider.Cuda], MemoryBytes = 64L << 20 };
        using (OnnxSessions enough = new(folder, options, new StandInProviders(OnnxProvider.Cuda)))
        {
            enough.Use("vae_decoder").Dispose();
        }
        // A file of weights that is as long as the limit, and holds nothing.
        using TemporaryFolder larger = new();
        folder = ExportedModels.CopyWith(temporary.Path, larger, $"vae_decoder/{ModelWriter.DataFile}", new byte[64 << 20]);

        using OnnxSessions sessions = new(folder, options, new StandInProviders(OnnxProvider.Cuda));
        string message = Assert.Throws<InvalidOperationException>(() => sessions.Use("vae_decoder")).Message;

        Assert.Contains($"MemoryBytes is {64L << 20}, but '{larger.File("vae_decoder", ModelWriter.ModelFile)}'", message, StringComparison.Ordinal);
    }

    /// <summary>The teacher's folder, whose decoder counts up to its input.</summary>
    private OnnxModelFolder Counting(TemporaryFolder temporary) =>
        ExportedModels.CopyWith(models.Teacher, temporary, $"vae_decoder/{ModelWriter.ModelFile}", CountingModel.Bytes);

    private OnnxSessions Sessions(OnnxMemoryMode mode) => new(OnnxModelFolder.Open(models.Teacher), new OnnxRuntimeOptions { Memory = mode });

    private static float[] Values(IReadOnlyList<OnnxTensor> outputs)
    {
        using OnnxTensor output = Assert.Single(outputs);
        return output.Floats.ToArray();
    }
}
