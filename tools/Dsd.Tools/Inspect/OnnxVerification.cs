namespace Dsd.Tools.Inspect;

/// <summary>A folder of exported ONNX models in which everything was as it was written.</summary>
/// <param name="Files">Files whose lengths and hashes were compared.</param>
/// <param name="Bytes">Bytes of all of them.</param>
/// <param name="Tensors">Weights beside their models, whose places were compared with their types and shapes.</param>
internal sealed record OnnxVerification(int Files, long Bytes, int Tensors);
