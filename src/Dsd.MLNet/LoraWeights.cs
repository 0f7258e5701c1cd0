using System.Security.Cryptography;
using Dsd.Common.Files;

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

    /// <summary>Writes the file, whole or not at all; <c>Dsd.Models.Lora.LoraAdapter.Load</c>, diffusers and PEFT read it.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => stream.Write(_file));

    internal byte[] File => _file;

    /// <summary>Where it came from, for messages.</summary>
    internal string Source { get; }

    /// <summary>Tells one adapter from another: the start of the file's SHA-256.</summary>
    internal string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(_file))[..16];
}
