using System.Text.Json.Serialization;

namespace Dsd.MLNet;

/// <summary>
/// What a <see cref="DsdGenerator"/> computes with, and the options that only this backend has: <see cref="OnnxGeneration"/> or
/// <see cref="TorchGeneration"/>.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = KindName)]
[JsonDerivedType(typeof(OnnxGeneration), OnnxKind)]
[JsonDerivedType(typeof(TorchGeneration), TorchKind)]
public abstract record GeneratorBackend
{
    // As it stands in saved models: GeneratorOptionsUpgrade writes it too.
    internal const string KindName = "Kind";
    internal const string OnnxKind = "Onnx";
    internal const string TorchKind = "Torch";

    private protected GeneratorBackend()
    {
    }
}
