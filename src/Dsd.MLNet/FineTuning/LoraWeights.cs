using System.Security.Cryptography;
using Dsd.Common.Files;
using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Weights;

namespace Dsd.MLNet;

/// <summary>A trained LoRA as the bytes of its safetensors file (PEFT keys, as diffusers reads them). Immutable; nothing to dispose.</summary>
public sealed class LoraWeights
{
    private readonly byte[] _file;

    /// <summary>Takes over the bytes of a safetensors file: do not change them afterwards.</summary>
    /// <param name="file">The bytes.</param>
    /// <param name="source">Where they came from, for messages: a path, or words.</param>
    internal LoraWeights(byte[] file, string source = "the trained adapter") => (_file, Source) = (file, source);

    /// <summary>Size of the file in bytes.</summary>
    public int Length => _file.Length;

    internal byte[] File => _file;

    /// <summary>Where it came from, for messages.</summary>
    internal string Source { get; }

    /// <summary>Tells one adapter from another: the start of the file's SHA-256.</summary>
    internal string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(_file))[..16];

    /// <summary>
    /// The file's name where it is written for an export. It says which adapter it is, so that an export can be told from one of another adapter.
    /// </summary>
    internal string FileName => $"lora-{Fingerprint}.safetensors";

    /// <summary>Writes the file, whole or not at all; <c>Dsd.Models.Lora.LoraAdapter.Load</c>, diffusers and PEFT read it.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => stream.Write(_file));

    /// <summary>
    /// Reads an adapter of any layout that is known, with the config that may lie beside it, and keeps it as one file in the layout of diffusers. Of
    /// text encoders it holds what was asked for.
    /// </summary>
    /// <exception cref="WeightsException">The file is no adapter that can be applied.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    internal static LoraWeights Read(string file, LoraTextEncoders textEncoders, Action<string> warn)
    {
        using LoraAdapter adapter = LoraAdapter.Load(file, textEncoders);
        foreach (string remark in adapter.Remarks)
        {
            warn(remark);
        }
        return Of(adapter, file);
    }

    /// <summary>An adapter's tensors as the bytes of a file.</summary>
    internal static LoraWeights Of(LoraAdapter adapter, string source)
    {
        using ScratchFolder scratch = new("lora");
        string file = Path.Combine(scratch.Path, "adapter.safetensors");
        adapter.Save(file);
        return new LoraWeights(System.IO.File.ReadAllBytes(file), source);
    }

    /// <summary>
    /// Gives the path of a temporary file to what reads adapters from files. What it says about that file is said about <see cref="Source"/>.
    /// </summary>
    internal T AsFile<T>(Func<string, T> use)
    {
        using ScratchFolder scratch = new("lora");
        string file = Path.Combine(scratch.Path, FileName);
        Save(file);
        try
        {
            return use(file);
        }
        catch (Exception e) when (e.Message.Contains(file, StringComparison.Ordinal))
        {
            throw new AdapterException(Source, e.Message.Replace(file, Source, StringComparison.Ordinal), e);
        }
    }

    /// <summary>An adapter that cannot be used, named by where it came from.</summary>
    private sealed class AdapterException(string source, string message, Exception inner) : WeightsException(source, message, inner);
}
