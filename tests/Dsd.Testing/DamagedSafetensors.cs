using System.Buffers.Binary;
using System.Text.Json.Nodes;

namespace Dsd.Testing;

/// <summary>Whole safetensors files, made wrong in one way each.</summary>
public static class DamagedSafetensors
{
    /// <summary>The ways to be wrong that every door must refuse.</summary>
    public static string[] Faults { get; } = ["truncated", "oversized header", "overlapping offsets", "wrong dtype", "missing tensor"];

    /// <summary>Damages a file in place, at the tensor that lies last in it.</summary>
    /// <returns>The name of the tensor at fault, or an empty string where the fault is the file's as a whole.</returns>
    public static string Damage(string path, string fault)
    {
        byte[] file = File.ReadAllBytes(path);
        int start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        JsonObject header = JsonNode.Parse(file.AsSpan(8, start - 8))!.AsObject();
        string last = header.Where(t => t.Key != "__metadata__").MaxBy(t => End(t.Value!)).Key;
        switch (fault)
        {
            case "truncated":
                File.WriteAllBytes(path, file[..^1]);
                return last;
            case "oversized header":
                BinaryPrimitives.WriteInt64LittleEndian(file, long.MaxValue);
                File.WriteAllBytes(path, file);
                return "";
            case "overlapping offsets":
                long begin = (long)header[last]!["data_offsets"]![0]!;
                header[last]!["data_offsets"] = new JsonArray(begin - 4, End(header[last]!) - 4);
                Write(path, header, file.AsSpan(start)[..^4]);
                return last;
            case "wrong dtype":
                header[last]!["dtype"] = "I32";
                Write(path, header, file.AsSpan(start));
                return last;
            case "missing tensor":
                long kept = (long)header[last]!["data_offsets"]![0]!;
                header.Remove(last);
                Write(path, header, file.AsSpan(start, (int)kept));
                return last;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault, "No such fault.");
        }
    }

    private static long End(JsonNode tensor) => (long)tensor["data_offsets"]![1]!;

    private static void Write(string path, JsonObject header, ReadOnlySpan<byte> data)
    {
        byte[] json = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(path, [.. length, .. json, .. data]);
    }
}
