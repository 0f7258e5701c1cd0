using Dsd.Models.Layers;
using Dsd.Models.Native;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>Adapter files: written in diffusers' layout, read in it and in the other layouts that are in use for FLUX (docs/decisions/adapters.md).</summary>
internal static class LoraFile
{
    private const string Prefix = "transformer.";
    private const string ComfyPrefix = "diffusion_model.";
    private const string SuffixAlpha = ".alpha";
    private const string SuffixA = ".lora_A.weight";
    private const string SuffixB = ".lora_B.weight";

    public static LoraAdapter Load(SafetensorsFile file, LoraTextEncoders textEncoders)
    {
        TorchLibrary.Require();
        string path = file.Path;
        LoraContents contents = Contents(file, textEncoders);
        Dictionary<string, LoraFactors> factors = [];
        Dictionary<string, LoraFactors> clip = [];
        Dictionary<string, Tensor> whole = [];
        try
        {
            Read(file, contents.Layers, factors);
            if (textEncoders == LoraTextEncoders.Apply)
            {
                Read(file, contents.ClipLayers, clip);
            }
            foreach ((string name, string key) in contents.Whole)
            {
                using DisposeScope scope = NewDisposeScope();
                whole.Add(name, Finite(file, key).Tensor.DetachFromDisposeScope());
            }
            return new LoraAdapter(path, factors, whole) { ClipFactors = clip, Remarks = contents.RemarksFor(textEncoders) };
        }
        catch
        {
            new LoraAdapter(path, factors, whole) { ClipFactors = clip }.Dispose();
            throw;
        }
    }

    /// <summary>What a file holds, by its header alone.</summary>
    /// <exception cref="WeightsException">It cannot be loaded so; says all that is wrong.</exception>
    public static LoraContents Contents(SafetensorsFile file, LoraTextEncoders textEncoders)
    {
        LoraContents contents = LoraContents.Read(file.Path, file.Entries, file.Metadata, file.ReadNumber, isFile: !file.IsInMemory);
        return contents.ProblemsFor(textEncoders) is { Count: > 0 } problems ? throw LoraProblem.Exception(file.Path, problems) : contents;
    }

    public static void Save(LoraAdapter adapter, string path, ScalarType? type, LoraNames names)
    {
        using DisposeScope scope = NewDisposeScope();
        (SortedDictionary<string, Tensor> tensors, Dictionary<string, string> metadata) = Content(adapter, type, names);
        SafetensorsWriter.Write(path, tensors, metadata);
    }

    public static void Save(LoraAdapter adapter, Stream stream, ScalarType? type, LoraNames names)
    {
        using DisposeScope scope = NewDisposeScope();
        (SortedDictionary<string, Tensor> tensors, Dictionary<string, string> metadata) = Content(adapter, type, names);
        SafetensorsWriter.Write(stream, adapter.Source, tensors, metadata);
    }

    private static (SortedDictionary<string, Tensor> Tensors, Dictionary<string, string> Metadata) Content(
        LoraAdapter adapter, ScalarType? type, LoraNames names)
    {
        using IDisposable noGrad = no_grad();
        Tensor Stored(Tensor tensor) => type is { } t ? tensor.to(t) : tensor;
        bool comfy = names == LoraNames.ComfyUI;
        string prefix = comfy ? ComfyPrefix : Prefix;
        Dictionary<string, LoraFactors> clip = adapter.ClipFactors.ToDictionary(f => LoraTextKeys.ClipModel + f.Key, f => f.Value);
        Dictionary<string, string> metadata = new() { ["format"] = "pt" };
        if (!comfy)
        {
            metadata.Add(LoraMetadata.Key, LoraMetadata.Describe(adapter.Factors, clip));
        }
        SortedDictionary<string, Tensor> tensors = new(StringComparer.Ordinal);
        IEnumerable<(string Module, LoraFactors Factors)> layers = (comfy ? PublishedLayers.Of(adapter.Factors) : adapter.Factors)
            .Select(f => (prefix + f.Key, f.Value))
            .Concat(clip.Select(f => (LoraTextKeys.ClipPrefix + f.Key, f.Value)));
        foreach ((string module, LoraFactors factors) in layers)
        {
            tensors.Add(module + SuffixA, Stored(factors.A));
            tensors.Add(module + SuffixB, Stored(factors.B));
            if (comfy)
            {
                // ComfyUI reads no metadata.
                tensors.Add(module + SuffixAlpha, tensor(factors.Alpha));
            }
        }
        foreach ((string name, Tensor whole) in adapter.Whole)
        {
            tensors.Add(prefix + name, Stored(whole));
        }
        return (tensors, metadata);
    }

    private static void Read(SafetensorsFile file, IReadOnlyList<LoraContents.Layer> layers, Dictionary<string, LoraFactors> factors)
    {
        foreach (LoraContents.Layer layer in layers)
        {
            using DisposeScope scope = NewDisposeScope();
            ((Tensor down, double mostA), (Tensor up, double mostB)) = (Finite(file, layer.A.Name), Finite(file, layer.B.Name));
            RequireFiniteProduct(file.Path, layer, down, mostA, up, mostB);
            up = layer.Parts.HalvesSwapped ? cat([.. up.chunk(2).Reverse()]) : up;
            foreach ((string module, Tensor own) in layer.Parts.Modules.Zip(up.split(layer.Outputs)))
            {
                factors.Add(module, new LoraFactors(down.clone().DetachFromDisposeScope(), own.clone().DetachFromDisposeScope(), layer.Alpha));
            }
        }
    }

    /// <summary>A tensor whose numbers are finite in float32, and the largest of their magnitudes.</summary>
    private static (Tensor Tensor, double Most) Finite(SafetensorsFile file, string key)
    {
        RequireFloats(file, key);
        Tensor tensor = file.Read(key);
        float most = tensor.to(ScalarType.Float32).abs().max().item<float>(); // NaN where one of them is
        if (!float.IsFinite(most))
        {
            long wrong = tensor.numel() - tensor.to(ScalarType.Float32).isfinite().sum().item<long>();
            throw NotFinite(file, key, wrong, tensor.numel());
        }
        return (tensor, most);
    }

    /// <summary>Refuses a tensor of whole numbers, or of none.</summary>
    public static void RequireFloats(SafetensorsFile file, string key)
    {
        TensorEntry entry = file.Entry(key);
        if (!entry.IsFloating)
        {
            throw new SafetensorsException(file.Path, key, "floating-point numbers", $"{entry}");
        }
        if (entry.ElementCount == 0)
        {
            throw new SafetensorsException(file.Path, key, "at least one number", $"{entry}");
        }
    }

    public static SafetensorsException NotFinite(SafetensorsFile file, string key, long wrong, long all) => new(
        file.Path, key, "finite numbers", $"NaN, infinity or more than float32 holds in {wrong} of {all}: the adapter is broken");

    /// <summary>Refuses finite factors whose product is not.</summary>
    private static void RequireFiniteProduct(string path, LoraContents.Layer layer, Tensor down, double mostA, Tensor up, double mostB)
    {
        float scale = layer.Alpha / layer.Rank;
        // The bound is seldom passed; only then is the product worth its time.
        bool finite = mostA * mostB * layer.Rank * Math.Max(scale, 1) < float.MaxValue
            || matmul(up.to(ScalarType.Float32), down.to(ScalarType.Float32)).Times(scale).isfinite().all().item<bool>();
        if (!finite)
        {
            throw new SafetensorsException(path, layer.A.Name, $"a product with '{layer.B.Name}' that float32 holds", "more than that: the adapter is broken");
        }
    }
}
