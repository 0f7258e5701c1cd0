using Dsd.Imaging;
using Dsd.MLNet.Stages;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Data;

/// <summary>The pairs of a folder by subject as a view.</summary>
internal sealed class SubjectsView : IDataView
{
    private readonly SubjectFolder _folder;

    public SubjectsView(SubjectFolder folder, SubjectsLoaderOptions options)
    {
        _folder = folder;
        (string, DataViewType)[] columns =
        [
            (options.ReferenceColumn, MLImages.Type(0, 0)),
            (options.TargetColumn, MLImages.Type(0, 0)),
            (options.SubjectColumn, TextDataViewType.Instance),
            (options.PromptColumn, TextDataViewType.Instance),
            (options.ReferencePathColumn, TextDataViewType.Instance),
            (options.TargetPathColumn, TextDataViewType.Instance),
        ];
        StageOptionCheck.Different(columns.Select(c => c.Item1));
        DataViewSchema.Builder schema = new();
        foreach ((string name, DataViewType type) in columns)
        {
            schema.AddColumn(name, type);
        }
        Schema = schema.ToSchema();
    }

    public bool CanShuffle => true;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _folder.Pairs.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        int[] order = [.. Enumerable.Range(0, _folder.Pairs.Count)];
        rand?.Shuffle(order);
        return new Cursor(_folder, Schema, columnsNeeded, order);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(SubjectFolder folder, DataViewSchema schema, IEnumerable<DataViewSchema.Column> columns, int[] order)
        : PositionedCursor(schema, columns)
    {
        protected override ulong RowId => (ulong)order[Position];

        private SubjectPair Pair => folder.Pairs[order[Position]];

        protected override bool Seek(long position) => position < order.Length;

        // In the order of the view's constructor.
        protected override Delegate Getter(DataViewSchema.Column column) => column.Index switch
        {
            0 => Image(column.Name, () => Pair.Reference),
            1 => Image(column.Name, () => Pair.Target),
            2 => Text(() => Pair.Subject),
            3 => Text(() => Read(column.Name, () => folder.Prompt(Pair))),
            4 => Text(() => Pair.Reference),
            _ => Text(() => Pair.Target),
        };

        private static ValueGetter<ReadOnlyMemory<char>> Text(Func<string> text) => (ref ReadOnlyMemory<char> value) => value = text().AsMemory();

        private ValueGetter<MLImage> Image(string column, Func<string> path) =>
            (ref MLImage value) => value = MLImages.FromPicture(Read(column, () => folder.Read(path())));

        private T Read<T>(string column, Func<T> read)
        {
            try
            {
                return read();
            }
            catch (Exception e) when (e is PictureException or IOException or UnauthorizedAccessException)
            {
                throw new DsdRowException(Position, column, e.Message, e);
            }
        }
    }
}
