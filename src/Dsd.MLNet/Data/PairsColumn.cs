using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Data;

/// <summary>A column of a <see cref="PairsView"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Open">Makes its getter for a cursor.</param>
internal sealed record PairsColumn(string Name, DataViewType Type, Func<PairsCursor, Delegate> Open)
{
    public static PairsColumn Image(string name, Func<PairRecord, EncodedPicture> picture) =>
        new(name, MLImages.Type(0, 0), cursor => (ValueGetter<MLImage>)((ref value) => value = Decoded(cursor, name, picture)));

    public static PairsColumn Text(string name, Func<PairRecord, string?> text) =>
        new(name, TextDataViewType.Instance, cursor => (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = text(cursor.Row).AsMemory()));

    public static PairsColumn Detail(DetailColumn column)
    {
        string name = NameOf(column);
        return (column.Name, column.Kind) switch
        {
            // Only this one must be there in every row: training goes by it.
            ("kept", _) => new PairsColumn(name, BooleanDataViewType.Instance, cursor => (ValueGetter<bool>)((ref value) => value = Kept(cursor, name))),
            (_, DetailKind.Flag) => Value(name, NumberDataViewType.Single, r => column.Get(r.Details) is bool flag ? flag ? 1f : 0f : float.NaN),
            (_, DetailKind.Number) => Value(name, NumberDataViewType.Single, r => column.Get(r.Details) is double number ? (float)number : float.NaN),
            (_, DetailKind.Count) => Value(name, NumberDataViewType.Int32, r => column.Get(r.Details) is int count ? count : 0),
            (_, DetailKind.Texts) => Value(
                name, new VectorDataViewType(TextDataViewType.Instance), r => InputReaders.Vector(column.Get(r.Details) as IReadOnlyList<string> ?? [])),
            _ => Text(name, r => (string?)column.Get(r.Details)),
        };
    }

    private static PairsColumn Value<T>(string name, DataViewType type, Func<PairRecord, T> get) =>
        new(name, type, cursor => (ValueGetter<T>)((ref T value) => value = get(cursor.Row)));

    // ML.NET's way of writing names, and the estimators' words for the two pictures.
    private static string NameOf(DetailColumn column) => column.Name switch
    {
        "image_description" => "TargetDescription",
        "conditioning_description" => "ReferenceDescription",
        _ => string.Concat(column.Name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..])),
    };

    private static bool Kept(PairsCursor cursor, string name)
    {
        PairRecord row = cursor.Row;
        return row.Details.Kept ?? throw new DsdRowException(cursor.Position, name, $"{row.Source}: expected true or false, found nothing.");
    }

    private static MLImage Decoded(PairsCursor cursor, string name, Func<PairRecord, EncodedPicture> picture)
    {
        PairRecord row = cursor.Row;
        try
        {
            return MLImages.FromPicture(picture(row).Decode());
        }
        catch (Exception e) when (e is DatasetException or PictureException or IOException)
        {
            throw new DsdRowException(cursor.Position, name, e.Message, e);
        }
    }
}
