using Dsd.Dataset.Formats;
using ParquetSharp;

namespace Dsd.Dataset.Tests.Formats;

public sealed class ParquetTableTests
{
    [Fact]
    public void ATable_IsReadByAnotherReader_AcrossGroups()
    {
        const int Rows = 100_003;
        using TemporaryFolder folder = new();
        string?[] names = [.. Enumerable.Range(0, Rows).Select(i => i % 3 == 0 ? null : $"name {i} ü")];
        double?[] scores = [.. Enumerable.Range(0, Rows).Select(i => i % 5 == 0 ? (double?)null : i / 7.0)];

        ParquetTable.Write(folder.File("in/table.parquet"), TableColumn.Texts("name", names), TableColumn.Numbers("score", scores));

        using ParquetFileReader file = new(folder.File("in/table.parquet"));
        Assert.Equal((Rows, 2), (file.FileMetaData.NumRows, file.FileMetaData.NumRowGroups));
        Assert.Equal(["name", "score"], [file.FileMetaData.Schema.Column(0).Name, file.FileMetaData.Schema.Column(1).Name]);
        Assert.Equal(names, All<string?>(file, 0));
        Assert.Equal(scores, All<double?>(file, 1));
    }

    [Fact]
    public void ATableWithoutRows_HasItsColumns()
    {
        using TemporaryFolder folder = new();
        ParquetTable.Write(folder.File("table.parquet"), TableColumn.Texts("name", []));
        using ParquetFileReader file = new(folder.File("table.parquet"));
        Assert.Equal((0, "name"), (file.FileMetaData.NumRows, file.FileMetaData.Schema.Column(0).Name));
    }

    [Fact]
    public void ColumnsThatDoNotFit_AreRefused()
    {
        using TemporaryFolder folder = new();
        Refused();
        Refused(TableColumn.Texts("name", ["a"]), TableColumn.Numbers("score", []));
        Refused(TableColumn.Texts("name", ["a"]), TableColumn.Numbers("name", [1]));

        void Refused(params TableColumn[] columns) =>
            Assert.Contains("columns of one length", Assert.Throws<ArgumentException>(() => ParquetTable.Write(folder.File("table.parquet"), columns)).Message);
    }

    private static IEnumerable<T> All<T>(ParquetFileReader file, int column)
    {
        for (int i = 0; i < file.FileMetaData.NumRowGroups; i++)
        {
            using RowGroupReader group = file.RowGroup(i);
            foreach (T value in group.Column(column).LogicalReader<T>().ReadAll((int)group.MetaData.NumRows))
            {
                yield return value;
            }
        }
    }
}
