using Dsd.Imaging;
using Dsd.MLNet.Stages.Rows;
using Dsd.Models.Sampling;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Columns;

/// <summary>Reads what stages need from the row that a cursor stands on. An error names the row and the column.</summary>
internal static class InputReaders
{
    /// <summary>Reads a text that must not be empty.</summary>
    public static Func<string> Text(DataViewRow row, string column, string what)
    {
        ValueGetter<ReadOnlyMemory<char>> get = row.GetGetter<ReadOnlyMemory<char>>(row.Schema[column]);
        return () =>
        {
            ReadOnlyMemory<char> text = default;
            get(ref text);
            return !text.Span.IsWhiteSpace() ? text.ToString() : throw new DsdRowException(row.Position, column, $"expected {what}, found an empty text.");
        };
    }

    /// <summary>Reads the texts of a vector.</summary>
    public static Func<string[]> Texts(DataViewRow row, string column)
    {
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> get = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(row.Schema[column]);
        return () =>
        {
            VBuffer<ReadOnlyMemory<char>> texts = default;
            get(ref texts);
            return [.. texts.DenseValues().Select(t => t.ToString())];
        };
    }

    /// <summary>Reads an image that is large enough to show something.</summary>
    public static Func<Picture> Picture(DataViewRow row, string column)
    {
        ValueGetter<MLImage> get = row.GetGetter<MLImage>(row.Schema[column]);
        return () =>
        {
            // Not disposed, and a new variable each time, in which no getter finds an image to dispose: an in-memory view hands out its caller's own objects.
            MLImage image = null!;
            get(ref image);
            Picture picture;
            try
            {
                picture = MLImages.ToPicture(image, column);
            }
            catch (PictureException e)
            {
                throw new DsdRowException(row.Position, column, e.Message, e);
            }
            return picture.Width >= DsdRequest.LeastReferenceSide && picture.Height >= DsdRequest.LeastReferenceSide
                ? picture
                : throw new DsdRowException(
                    row.Position,
                    column,
                    $"expected an image of at least {DsdRequest.LeastReferenceSide} × {DsdRequest.LeastReferenceSide} pixels, "
                    + $"found {picture.Width} × {picture.Height}.");
        };
    }

    /// <summary>Reads the number that tells rows apart; null where there is no such column.</summary>
    public static Func<long?> Key(DataViewRow row, string? column)
    {
        if (column is null)
        {
            return () => null;
        }
        ValueGetter<long> get = row.GetGetter<long>(row.Schema[column]);
        return () =>
        {
            long key = 0;
            get(ref key);
            return key;
        };
    }

    /// <summary>Reads a truth value.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">The column. Null is none.</param>
    /// <param name="without">The value where there is no column.</param>
    public static Func<bool> Flag(DataViewRow row, string? column, bool without)
    {
        if (column is null)
        {
            return () => without;
        }
        ValueGetter<bool> get = row.GetGetter<bool>(row.Schema[column]);
        return () =>
        {
            bool flag = false;
            get(ref flag);
            return flag;
        };
    }

    /// <summary>Numbers of a row as a vector's value, a copy; NaN where something is wrong with the row.</summary>
    public static VBuffer<float> Vector(Outcome<float[]> numbers, int size) =>
        new(size, numbers.Error is null ? [.. numbers.Value] : [.. Enumerable.Repeat(float.NaN, size)]);

    /// <summary>Texts as a vector's value.</summary>
    public static VBuffer<ReadOnlyMemory<char>> Vector(IReadOnlyList<string> texts) => new(texts.Count, [.. texts.Select(t => t.AsMemory())]);
}
