using System.Reflection;
using System.Security.Cryptography;
using Dsd.Imaging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests;

/// <summary>Small inputs, and ways to look at what comes out.</summary>
internal static class Views
{
    public static IDataView Captions(MLContext ml, params string[] captions) =>
        ml.Data.LoadFromEnumerable(captions.Select(c => new CaptionRow { Caption = c }));

    public static IDataView References(MLContext ml, int count, int side = 32) =>
        ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new ReferenceRow { Reference = Image(i, side), Prompt = $"prompt {i}" }).ToArray());

    public static IDataView Pairs(MLContext ml, params bool[] kept) =>
        ml.Data.LoadFromEnumerable(
            kept.Select((k, i) => new PairRow { Reference = Image(i), Target = Image(i + 100), Prompt = $"prompt {i}", Kept = k }).ToArray());

    public static MLImage Image(int seed, int side = 32) => MLImages.FromPicture(Picture(seed, side));

    public static Picture Picture(int seed, int side = 32) => PaintingTeacher.Paint("image", seed, side, side);

    /// <summary>Cancels a context as ML.NET's own experiments do; the method is not public.</summary>
    public static void Cancel(MLContext ml) =>
        typeof(MLContext).GetMethods(BindingFlags.Instance | BindingFlags.NonPublic).Single(
            m => m.Name.EndsWith("CancelExecution", StringComparison.Ordinal)).Invoke(ml, null);

    /// <summary>The values of a column, as text that tells any two different values apart.</summary>
    public static string[] Column(IDataView view, string name)
    {
        DataViewSchema.Column column = view.Schema[name];
        using DataViewRowCursor cursor = view.GetRowCursor([column]);
        Func<string> read = Reader(cursor, column);
        List<string> values = [];
        while (cursor.MoveNext())
        {
            values.Add(read());
        }
        return [.. values];
    }

    public static Func<string> Reader(DataViewRow row, DataViewSchema.Column column)
    {
        Type type = column.Type.RawType;
        if (type == typeof(MLImage))
        {
            ValueGetter<MLImage> get = row.GetGetter<MLImage>(column);
            MLImage image = null!;
            return () =>
            {
                get(ref image);
                return $"{image.Width}x{image.Height}:{Convert.ToHexString(SHA256.HashData(image.Pixels))}";
            };
        }
        return type == typeof(ReadOnlyMemory<char>) ? Text<ReadOnlyMemory<char>>(row, column, v => v.ToString())
            : type == typeof(VBuffer<ReadOnlyMemory<char>>) ? Text<VBuffer<ReadOnlyMemory<char>>>(row, column, v => string.Join('|', v.DenseValues()))
            : type == typeof(VBuffer<float>) ? Text<VBuffer<float>>(row, column, v => string.Join('|', v.DenseValues()))
            : type == typeof(bool) ? Text<bool>(row, column, v => v.ToString())
            : type == typeof(float) ? Text<float>(row, column, v => v.ToString())
            : type == typeof(long) ? Text<long>(row, column, v => v.ToString())
            : type == typeof(LoraWeights) ? Text<LoraWeights>(row, column, v => v.Fingerprint)
            : throw new NotSupportedException($"{column.Name}: {type}");
    }

    private static Func<string> Text<T>(DataViewRow row, DataViewSchema.Column column, Func<T, string> show)
    {
        ValueGetter<T> get = row.GetGetter<T>(column);
        return () =>
        {
            T value = default!;
            get(ref value);
            return show(value);
        };
    }
}
