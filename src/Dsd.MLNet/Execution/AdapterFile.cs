using Dsd.Common.Files;
using Dsd.Models.Lora;

namespace Dsd.MLNet.Execution;

/// <summary>Adapters between memory and files.</summary>
internal static class AdapterFile
{
    /// <summary>The file's name says which adapter it is, so that an export can be told from one of another adapter.</summary>
    public static string Name(LoraWeights adapter) => $"lora-{adapter.Fingerprint}.safetensors";

    /// <summary>Reads an adapter of any layout that is known, with the config that may lie beside it, and keeps it as one file in the layout of diffusers: of text encoders it holds what was asked for.</summary>
    /// <exception cref="Models.Weights.WeightsException">The file is no adapter that can be applied.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LoraWeights Read(string file, LoraTextEncoders textEncoders, Action<string> warn)
    {
        using LoraAdapter adapter = LoraAdapter.Load(file, textEncoders);
        foreach (string remark in adapter.Remarks)
        {
            warn(remark);
        }
        return Keep(adapter, file);
    }

    /// <summary>An adapter's file as bytes.</summary>
    public static LoraWeights Keep(LoraAdapter adapter, string source)
    {
        using ScratchFolder scratch = new("lora");
        string file = Path.Combine(scratch.Path, "adapter.safetensors");
        adapter.Save(file);
        return new LoraWeights(File.ReadAllBytes(file), source);
    }

    /// <summary>Gives the path of a temporary file to what reads adapters from files. What it says about that file is said about the adapter's source.</summary>
    public static T Use<T>(LoraWeights adapter, Func<string, T> use)
    {
        using ScratchFolder scratch = new("lora");
        string file = Path.Combine(scratch.Path, Name(adapter));
        adapter.Save(file);
        try
        {
            return use(file);
        }
        catch (Exception e) when (e.Message.Contains(file, StringComparison.Ordinal))
        {
            throw new AdapterException(adapter.Source, e.Message.Replace(file, adapter.Source, StringComparison.Ordinal), e);
        }
    }
}
