using Dsd.Common.Files;
using Dsd.MLNet.Stages.Running;

namespace Dsd.MLNet.Generation;

/// <summary>The ONNX models of one generator: where they lie, and when they are written.</summary>
internal sealed class OnnxExport(DsdGeneratorOptions options, string? target, LoraWeights? adapter, IStageModels models, StageHost host) : IDisposable
{
    private readonly Lock _gate = new();
    private ScratchFolder? _own;
    private bool _current;

    private string Place => target ?? Path.Combine((_own ??= new ScratchFolder("onnx", ContextDefaults.TemporaryFolder(host.Environment))).Path, "models");

    /// <summary>The folder with the models, written now if they are not there: after loading, or where somebody has cleared the folder.</summary>
    public string Folder(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_current && target is not null && adapter is not null && models.MergedLora(target) == adapter.ExportName)
            {
                _current = true;
            }
            return _current ? Place : Write(cancellationToken);
        }
    }

    /// <summary>Writes the models, whatever is there.</summary>
    public string Renew(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Write(cancellationToken);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _own?.Dispose();
            _own = null;
            _current = false;
        }
    }

    private string Write(CancellationToken cancellationToken)
    {
        host.Info($"Exporting '{options.Model}'{(adapter is null ? "" : " with its adapter merged")} to ONNX in '{Place}'.");
        models.Export(options, adapter, Place, cancellationToken);
        _current = true;
        return Place;
    }
}
