using Dsd.Models.Lora;
using Dsd.Onnx.Export;
using Dsd.Testing;

namespace Dsd.Onnx.Tests.Runtime;

/// <summary>The fixtures' models, exported once for all tests: the teacher, the student, and the student with its LoRA.</summary>
public sealed class ExportedModels : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ExportedModels()
    {
        string model = Fixtures.Path("tiny-flux");
        OnnxExportOptions student = new() { ReleaseFolder = Fixtures.Path("tiny-dsd") };
        OnnxExporter.Export(model, null, Teacher);
        OnnxExporter.Export(model, null, Student, student);
        OnnxExporter.Export(model, new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors")), Adapted, student with { MostBytesInside = 0 });
    }

    public string Teacher => _folder.File("teacher");

    public string Student => _folder.File("student");

    public string Adapted => _folder.File("adapted");

    public void Dispose() => _folder.Dispose();
}
