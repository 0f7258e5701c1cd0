using System.Security.Cryptography;
using Dsd.Models.Lora;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
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
        OnnxExporter.Export(
            model, new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors")), Cuda, student with { Target = GraphTarget.Cuda });
    }

    public string Teacher => _folder.File("teacher");

    public string Student => _folder.File("student");

    public string Adapted => _folder.File("adapted");

    /// <summary>As <see cref="Adapted"/>, in the operators for CUDA, which the processor runs too.</summary>
    public string Cuda => _folder.File("cuda");

    /// <summary>A copy of an export with other bytes in one of its files.</summary>
    internal static OnnxModelFolder CopyWith(string export, TemporaryFolder copy, string file, byte[] bytes)
    {
        foreach (string original in Directory.EnumerateFiles(export, "*", SearchOption.AllDirectories))
        {
            string target = copy.File(Path.GetRelativePath(export, original));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(original, target);
        }
        File.WriteAllBytes(copy.File(file), bytes);
        OnnxManifest manifest = OnnxManifest.Read(export);
        (manifest with
        {
            Files = new Dictionary<string, long>(manifest.Files) { [file] = bytes.Length },
            Sha256 = new Dictionary<string, string>(manifest.Sha256) { [file] = Convert.ToHexStringLower(SHA256.HashData(bytes)) },
        }).Write(copy.Path);
        return OnnxModelFolder.Open(copy.Path);
    }

    public void Dispose() => _folder.Dispose();
}
