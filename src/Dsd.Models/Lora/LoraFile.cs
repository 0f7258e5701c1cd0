using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>Adapter files in diffusers' layout.</summary>
internal static class LoraFile
{
    private const string Prefix = "transformer.";
    private const string SuffixA = ".lora_A.weight";
    private const string SuffixB = ".lora_B.weight";
    private const string SuffixAlpha = ".alpha";

    public static LoraAdapter Load(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        LoraMetadata? metadata = file.Metadata.TryGetValue(LoraMetadata.Key, out string? json) ? LoraMetadata.Parse(path, json) : null;
        Dictionary<string, string> names = Names(file); // module or parameter name → key in the file
        Refuse(file, names);

        Dictionary<string, LoraFactors> factors = [];
        Dictionary<string, Tensor> whole = [];
        try
        {
            foreach (string module in names.Keys.Where(n => n.EndsWith(SuffixA, StringComparison.Ordinal)).Select(n => n[..^SuffixA.Length]))
            {
                (TensorEntry a, TensorEntry b) = (file.Entry(names[module + SuffixA]), file.Entry(names[module + SuffixB]));
                if (a.Shape.Length != 2 || b.Shape.Length != 2 || a.Shape[0] != b.Shape[1] || a.Shape[0] is < 1 or > 65536)
                {
                    throw new SafetensorsException(path, a.Name, "factors A [rank, inputs] and B [outputs, rank] of one rank", $"A {a} and B {b}");
                }
                int rank = (int)a.Shape[0];
                float alpha = names.TryGetValue(module + SuffixAlpha, out string? scalar)
                    ? Scalar(file, scalar)
                    : metadata?.AlphaOf(path, module, rank) ?? rank;
                factors.Add(module, new LoraFactors(Read(file, a.Name), Read(file, b.Name), alpha));
            }
            foreach ((string name, string key) in names.Where(n => !IsLora(n.Key)))
            {
                whole.Add(name, Read(file, key));
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

    /// <summary>The file's keys by what they are called within the transformer.</summary>
    private static Dictionary<string, string> Names(SafetensorsFile file)
    {
        bool prefixed = file.Entries.Keys.Any(k => k.StartsWith(Prefix, StringComparison.Ordinal));
        string[] strange = prefixed ? [.. file.Entries.Keys.Where(k => !k.StartsWith(Prefix, StringComparison.Ordinal))] : [];
        return strange.Length == 0
            ? file.Entries.Keys.ToDictionary(k => prefixed ? k[Prefix.Length..] : k)
            : throw new WeightsException(file.Path, $"tensors of the transformer alone, all under '{Prefix}'", $"{strange.Length} others: {Some(strange)}");
    }

    private static void Refuse(SafetensorsFile file, Dictionary<string, string> names)
    {
        string[] alone =
        [
            .. names.Keys.Where(n => n.EndsWith(SuffixA, StringComparison.Ordinal) && !names.ContainsKey(n[..^SuffixA.Length] + SuffixB)),
            .. names.Keys.Where(n => n.EndsWith(SuffixB, StringComparison.Ordinal) && !names.ContainsKey(n[..^SuffixB.Length] + SuffixA)),
            .. names.Keys.Where(n => n.EndsWith(SuffixAlpha, StringComparison.Ordinal) && !names.ContainsKey(n[..^SuffixAlpha.Length] + SuffixA)),
        ];
        if (alone.Length > 0)
        {
            throw new WeightsException(file.Path, "factors A and B for each adapted layer", $"{alone.Length} tensors without a partner: {Some(alone)}");
        }
        string[] strange = [.. names.Keys.Where(n => n.Contains("lora_", StringComparison.Ordinal) && !IsLora(n))];
        if (strange.Length > 0)
        {
            throw new WeightsException(
                file.Path, $"adapter tensors that end in {SuffixA} or {SuffixB}", $"{strange.Length} of another kind of adapter or layout: {Some(strange)}");
        }
        if (!names.Keys.Any(n => n.EndsWith(SuffixA, StringComparison.Ordinal)))
        {
            throw new WeightsException(file.Path, $"an adapter with tensors that end in {SuffixA}", $"{names.Count} tensors, none of them such: {Some([.. names.Keys])}");
        }
    }

    private static bool IsLora(string name) =>
        name.EndsWith(SuffixA, StringComparison.Ordinal) || name.EndsWith(SuffixB, StringComparison.Ordinal) || name.EndsWith(SuffixAlpha, StringComparison.Ordinal);

    private static Tensor Read(SafetensorsFile file, string key)
    {
        Tensor tensor = file.Read(key);
        if (!tensor.is_floating_point())
        {
            tensor.Dispose();
            throw new SafetensorsException(file.Path, key, "floating-point numbers", $"{file.Entry(key)}");
        }
        return tensor.DetachFromDisposeScope();
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

    private static string Some(string[] names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Take(8)) + (names.Length > 8 ? ", …" : "");
}
