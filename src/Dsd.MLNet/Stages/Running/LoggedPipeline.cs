using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Onnx.Runtime;

namespace Dsd.MLNet.Stages.Running;

/// <summary>An exported student that tells a log where its nodes run, once they have.</summary>
internal sealed class LoggedPipeline(OnnxPipeline pipeline, Action<string> info) : IDsdModel
{
    private int _told;

    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<DsdRequest> requests, DsdOptions options, IProgress<SamplingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<Picture> pictures = pipeline.Generate(requests, options, progress, cancellationToken);
        IReadOnlyList<OnnxPlacement> placements = pipeline.Placements;
        if (Interlocked.Exchange(ref _told, placements.Count) < placements.Count)
        {
            info($"ONNX Runtime computes with {OnnxPlacement.Line(placements)}.");
        }
        return pictures;
    }

    public void Dispose() => pipeline.Dispose();
}
