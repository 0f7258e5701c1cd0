using Dsd.Models.Weights;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>One ONNX model with weights inside, run by itself: numbers in, numbers out, both in the host's memory. Safe for use from several threads.</summary>
public sealed class OnnxNetwork : IDisposable
{
    private readonly InferenceSession _session;
    private readonly string _file;

    private OnnxNetwork(InferenceSession session, string file) => (_session, _file) = (session, file);

    /// <summary>Opens a model.</summary>
    /// <param name="file">The model's file.</param>
    /// <param name="options">How it is run; null is the processor.</param>
    /// <exception cref="WeightsException">ONNX Runtime cannot read the file.</exception>
    /// <exception cref="NotSupportedException">None of the providers can be had here; the message says why and what to do.</exception>
    /// <exception cref="IOException">There is no such file.</exception>
    public static OnnxNetwork Open(string file, OnnxRuntimeOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"Cannot open the ONNX model '{file}': no such file. Export the model again.", file);
        }
        options ??= new OnnxRuntimeOptions();
        options.Validate();
        ExecutionProviders providers = ExecutionProviders.Choose(options, ProviderAppender.Real);
        using SessionOptions session = providers.CreateOptions(recordsRuns: false, allowTf32: options.AllowTf32 == true);
        try
        {
            return new OnnxNetwork(new InferenceSession(file, session), file);
        }
        catch (OnnxRuntimeException e)
        {
            throw new WeightsException(file, "an ONNX model that ONNX Runtime can open", $"one of which it says: {ProviderAppender.Said(e)}", e);
        }
    }

    /// <summary>Runs the model.</summary>
    /// <param name="input">The name of its input.</param>
    /// <param name="value">The input.</param>
    /// <param name="output">The output that is wanted.</param>
    /// <param name="cancellationToken">Ends the run between two of its nodes.</param>
    /// <returns>The output, which the caller disposes.</returns>
    /// <exception cref="InvalidOperationException">ONNX Runtime could not run the model; the message names its file and the reason.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public OnnxTensor Run(string input, OnnxTensor value, string output, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(value);
        cancellationToken.ThrowIfCancellationRequested();
        using RunOptions run = new();
        // Disposed before the options: it waits for a cancellation that is under way on another thread.
        using CancellationTokenRegistration stop = cancellationToken.Register(() => run.Terminate = true);
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(run, [input], [value.Value], [output]);
            return OnnxTensor.CopyOf(outputs[0]);
        }
        catch (OnnxRuntimeException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"The run of '{_file}' was cancelled.", e, cancellationToken);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidOperationException($"ONNX Runtime cannot run '{_file}': {ProviderAppender.Said(e)}", e);
        }
    }

    /// <summary>Closes the model.</summary>
    public void Dispose() => _session.Dispose();
}
