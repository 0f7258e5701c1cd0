using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Dsd.Testing;

/// <summary>Files as PyTorch saves them, whole and wrong: a pickle that is put together instruction by instruction, and storages beside it.</summary>
public sealed class TorchArchive
{
    private readonly MemoryStream _pickle = new();
    private readonly List<(string Name, byte[] Bytes)> _files = [];

    /// <summary>Begins with the protocol's version.</summary>
    public TorchArchive() => Raw(0x80, 2);

    public CompressionLevel Compression { get; set; } = CompressionLevel.NoCompression;

    /// <summary>Bytes of the pickle as they are.</summary>
    public TorchArchive Raw(params byte[] bytes)
    {
        _pickle.Write(bytes);
        return this;
    }

    public TorchArchive Code(char code) => Raw((byte)code);

    public TorchArchive Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return Code('X').Raw(length).Raw(bytes);
    }

    public TorchArchive Number(long value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(0x8a, 8).Raw(bytes);
    }

    public TorchArchive Global(string module, string name) => Code('c').Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public TorchArchive Numbers(params long[] values)
    {
        Code('(');
        foreach (long value in values)
        {
            Number(value);
        }
        return Code('t');
    }

    /// <summary>An entry of the dictionary that is open: a tensor over a storage.</summary>
    public TorchArchive Tensor(string name, string key, long elements, long[] shape, long[] strides, long offset = 0, string type = "FloatStorage") =>
        Text(name).Global("torch._utils", "_rebuild_tensor_v2").Code('(')
            .Code('(').Text("storage").Global("torch", type).Text(key).Text("cpu").Number(elements).Code('t').Code('Q')
            .Number(offset).Numbers(shape).Numbers(strides).Raw(0x89).Global("collections", "OrderedDict").Code(')').Code('R')
            .Code('t').Code('R').Code('s');

    /// <summary>A file of the archive.</summary>
    public TorchArchive File(string name, byte[] bytes)
    {
        _files.Add((name, bytes));
        return this;
    }

    public TorchArchive Storage(string key, params float[] values) => File($"data/{key}", MemoryMarshal.AsBytes<float>(values).ToArray());

    public void Save(string path)
    {
        using ZipArchive archive = new(System.IO.File.Create(path), ZipArchiveMode.Create);
        foreach ((string name, byte[] bytes) in _files.Prepend(("data.pkl", _pickle.ToArray())))
        {
            using Stream stream = archive.CreateEntry($"model/{name}", Compression).Open();
            stream.Write(bytes);
        }
    }
}
