using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.LoadApp;

/// <summary>The pictures of a view as files, for whoever compares them within a tolerance.</summary>
public static class PictureFiles
{
    /// <summary>Writes each picture as <c>ROW-COLUMN.png</c>.</summary>
    public static void Write(IDataView view, string folder)
    {
        DataViewSchema.Column[] pictures = [.. view.Schema.Where(c => !c.IsHidden && c.Type.RawType == typeof(MLImage))];
        using DataViewRowCursor cursor = view.GetRowCursor(pictures);
        ValueGetter<MLImage>[] getters = [.. pictures.Select(cursor.GetGetter<MLImage>)];
        while (cursor.MoveNext())
        {
            foreach ((DataViewSchema.Column column, ValueGetter<MLImage> get) in pictures.Zip(getters))
            {
                MLImage image = null!;
                get(ref image);
                image.Save(Path.Combine(folder, $"{cursor.Position}-{column.Name}.png"));
                image.Dispose();
            }
        }
    }
}
