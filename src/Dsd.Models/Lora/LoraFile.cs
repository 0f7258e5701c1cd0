using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>Adapter files: written in diffusers' layout, read in it and in the other layouts that are in use for FLUX (docs/decisions/adapters.md).</summary>
internal static class LoraFile
{
    private const string Prefix = "transformer.";
    private const string SuffixA = ".lora_A.weight";
    private const string SuffixB = ".lora_B.weight";
    private const string SuffixAlpha = ".alpha";

    public static LoraAdapter Load(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        LoraMetadata? metadata = LoraMetadata.Of(file);
        LoraKeys keys = LoraKeys.Read(file);
        Dictionary<string, LoraFactors> factors = [];
        Dictionary<string, Tensor> whole = [];
        try
        {
            foreach (LoraKeys.Layer layer in keys.Layers)
            {
                (TensorEntry a, TensorEntry b) = (file.Entry(layer.A), file.Entry(layer.B));
                if (a.Shape.Length != 2 || b.Shape.Length != 2 || a.Shape[0] != b.Shape[1] || a.Shape[0] is < 1 or > 65536)
                {
                    throw new SafetensorsException(path, a.Name, "factors A [rank, inputs] and B [outputs, rank] of one rank", $"A {a} and B {b}");
                }
                int rank = (int)a.Shape[0];
                long[] outputs = layer.Parts.Divide(b.Shape[0])
                    ?? throw new SafetensorsException(path, b.Name, $"outputs that {string.Join(", ", layer.Parts.Modules)} can share", $"{b}");
                using DisposeScope scope = NewDisposeScope();
                (Tensor down, Tensor up) = (Read(file, a.Name), Read(file, b.Name));
                up = layer.Parts.HalvesSwapped ? cat([.. up.chunk(2).Reverse()]) : up;
                Tensor[] ups = up.split(outputs);
                for (int i = 0; i < ups.Length; i++)
                {
                    string module = layer.Parts.Modules[i];
                    float alpha = layer.Alpha is { } scalar ? Scalar(file, scalar) : metadata?.AlphaOf(path, module, rank) ?? rank;
                    LoraFactors own = new(down.clone().DetachFromDisposeScope(), ups[i].clone().DetachFromDisposeScope(), alpha);
                    if (!factors.TryAdd(module, own))
                    {
                        own.A.Dispose();
                        own.B.Dispose();
                        throw new WeightsException(path, $"one pair of factors for {module}", $"a second one, {a.Name}");
                    }
                }
            }
            foreach ((string name, string key) in keys.Whole)
            {
                whole.Add(name, Read(file, key).DetachFromDisposeScope());
            }
            return new LoraAdapter(path, factors, whole);
        }
        catch
        {
            new LoraAdapter(path, factors, whole).Dispose();
            throw;
        }
    }

    public static void Save(LoraAdapter adapter, string path, ScalarType? type)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor Stored(Tensor tensor) => type is { } t ? tensor.to(t) : tensor;
        Dictionary<string, string> metadata = new() { ["format"] = "pt", [LoraMetadata.Key] = LoraMetadata.Describe(adapter.Factors) };
        SortedDictionary<string, Tensor> tensors = new(StringComparer.Ordinal);
        foreach ((string module, LoraFactors factors) in adapter.Factors)
        {
            tensors.Add(Prefix + module + SuffixA, Stored(factors.A));
            tensors.Add(Prefix + module + SuffixB, Stored(factors.B));
        }
        foreach ((string name, Tensor tensor) in adapter.Whole)
        {
            tensors.Add(Prefix + name, Stored(tensor));
        }
        SafetensorsWriter.Write(path, tensors, metadata);
    }

    private static Tensor Read(SafetensorsFile file, string key)
    {
        Tensor tensor = file.Read(key);
        if (!tensor.is_floating_point())
        {
            tensor.Dispose();
            throw new SafetensorsException(file.Path, key, "floating-point numbers", $"{file.Entry(key)}");
        }
        return tensor;
    }

    private static float Scalar(SafetensorsFile file, string key)
    {
        if (file.Entry(key).ElementCount != 1)
        {
            throw new SafetensorsException(file.Path, key, "one number", $"{file.Entry(key)}");
        }
        using DisposeScope scope = NewDisposeScope();
        float alpha = file.Read(key).to(ScalarType.Float32).reshape(1)[0].item<float>();
        return float.IsFinite(alpha) ? alpha : throw new SafetensorsException(file.Path, key, "a finite alpha", $"{alpha}");
    }
}
