using Dsd.Models.Sampling;
using Dsd.Onnx.Families;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// Gives generations their <see cref="TransformerBatch"/>. Where steps are recorded, batches are kept and used again: a recording reads and writes the places
/// that it was made with.
/// </summary>
/// <param name="manifest">Which inputs the transformer has.</param>
/// <param name="sessions">Run it.</param>
internal sealed class TransformerBatches(OnnxManifest manifest, OnnxSessions sessions) : IDisposable
{
    // ONNX Runtime keeps each recording, and the memory that it computes in, until the session is closed.
    private const int MostRecordings = 8;

    private readonly List<TransformerBatch> _idle = [];
    private readonly Lock _guard = new();
    private bool _disposed;

    /// <summary>How many steps are recorded.</summary>
    public int Recordings { get; private set; }

    /// <summary>How many batches wait to be used again.</summary>
    public int Kept
    {
        get
        {
            lock (_guard)
            {
                return _idle.Count;
            }
        }
    }

    /// <summary>A batch with the numbers of a generation; the caller gives it back.</summary>
    /// <param name="canvas">The sizes.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="inputs">The network's inputs without latents and condition, on the host.</param>
    /// <param name="condition">Fills the condition of all rows, which begins as zeros, for a conditional transformer.</param>
    /// <param name="adapters">The factors of adapters; null where the transformer takes none.</param>
    /// <param name="cancellationToken">Ends the opening of the session.</param>
    public TransformerBatch Take(
        Canvas canvas, int rows, NetworkInputs inputs, Action<OnnxTensor> condition, AdapterFactors? adapters, CancellationToken cancellationToken)
    {
        OnnxSessions.Lease lease = sessions.Use(OnnxSessions.Transformer, cancellationToken);
        TransformerBatch? batch = null;
        try
        {
            string shape = TransformerBatch.ShapeOf(canvas, rows, inputs, adapters);
            int? recording = null;
            lock (_guard)
            {
                batch = _idle.Find(b => b.Fits(lease.Session, shape));
                if (batch is not null)
                {
                    _idle.Remove(batch);
                }
                else if (sessions.RecordsSteps && !_disposed && Recordings < MostRecordings)
                {
                    recording = ++Recordings;
                }
            }
            batch ??= new TransformerBatch(manifest, sessions, lease.Session, shape, canvas, rows, inputs, adapters) { Recording = recording };
            batch.Begin(lease, inputs, condition);
            return batch;
        }
        catch
        {
            batch?.Dispose();
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Takes a batch back at the end of a generation.</summary>
    public void GiveBack(TransformerBatch batch)
    {
        lock (_guard)
        {
            if (batch.Recording is not null && !_disposed)
            {
                _idle.Add(batch);
                batch.LetGo();
                return;
            }
        }
        batch.Dispose();
    }

    /// <summary>Frees the batches of adapters that will not be used again, and which they would keep in memory.</summary>
    public void Forget(AdapterFactors adapters)
    {
        TransformerBatch[] theirs;
        lock (_guard)
        {
            theirs = [.. _idle.Where(b => b.Adapters == adapters.Number)];
            _idle.RemoveAll(theirs.Contains);
        }
        foreach (TransformerBatch batch in theirs)
        {
            batch.Dispose();
        }
    }

    /// <summary>Frees what nobody uses; the rest when it is given back.</summary>
    public void Dispose()
    {
        lock (_guard)
        {
            _disposed = true;
            _idle.ForEach(b => b.Dispose());
            _idle.Clear();
        }
    }
}
