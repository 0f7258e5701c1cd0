using System.Security.Cryptography;
using Dsd.Common.Files;
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
    /// What an export calls the adapter that is merged in it. It says which one it is, so that an export can be told from one of another adapter.
    /// </summary>
    internal string ExportName => $"lora-{Fingerprint}.safetensors";

    /// <summary>Writes the file, whole or not at all; <see cref="Load"/>, <see cref="LoraAdapter"/>, diffusers and PEFT read it.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => stream.Write(_file));

    /// <summary>
    /// Reads an adapter of any layout that is known (names of diffusers, PEFT, Black Forest Labs or kohya), with the config that may lie beside it, and
    /// keeps it as one file in the layout of diffusers.
    /// </summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="textEncoders">What becomes of a part for text encoders. Default: a file that has one is refused.</param>
    /// <param name="warn">Called with a warning, a full sentence. Null, the default: nobody is warned.</param>
    /// <exception cref="WeightsException">The file is no adapter that can be applied.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LoraWeights Load(string path, LoraTextEncoders textEncoders = LoraTextEncoders.Refuse, Action<string>? warn = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using LoraAdapter adapter = LoraAdapter.Load(path, textEncoders);
        foreach (string remark in adapter.Remarks)
        {
            warn?.Invoke(remark);
        }
        return Of(adapter, path);
    }

    /// <summary>An adapter's tensors as the bytes of a file.</summary>
    internal static LoraWeights Of(LoraAdapter adapter, string source)
    {
        using MemoryStream file = new();
        adapter.Save(file);
        return new LoraWeights(file.ToArray(), source);
    }

    /// <summary>The tensors, which the caller disposes, with what there is for CLIP: what was not asked for is not in the bytes.</summary>
    /// <exception cref="WeightsException">The bytes are no adapter that can be applied.</exception>
    internal LoraAdapter Open() => LoraAdapter.Load(_file, Source, LoraTextEncoders.Apply);
}
