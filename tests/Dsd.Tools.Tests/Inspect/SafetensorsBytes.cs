using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Dsd.Tools.Tests.Inspect;

/// <summary>Small safetensors files of single-precision zeros, without a tensor library.</summary>
internal static class SafetensorsBytes
{
    public static void Write(string path, params (string Name, long[] Shape)[] tensors)
    {
        Dictionary<string, object> header = [];
        long end = 0;
        foreach ((string name, long[] shape) in tensors)
        {
            long begin = end;
            end += 4 * shape.Aggregate(1L, (product, size) => product * size);
            header[name] = new { dtype = "F32", shape, data_offsets = new[] { begin, end } };
        }
        byte[] json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        byte[] file = new byte[8 + json.Length + end];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, file);
    }
}
