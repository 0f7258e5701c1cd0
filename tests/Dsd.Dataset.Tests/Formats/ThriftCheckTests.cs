using Dsd.Dataset.Formats;

namespace Dsd.Dataset.Tests.Formats;

/// <summary>Bytes that the Parquet library would read without end, or take memory for.</summary>
public sealed class ThriftCheckTests
{
    // Field 5, key and value: a list of one pair of texts; field 6: who wrote it.
    private static readonly byte[] Whole = [0x15, 2, 0x49, 0x1c, 0x18, 1, (byte)'k', 0x18, 1, (byte)'v', 0, 0x18, 3, (byte)'d', (byte)'s', (byte)'d', 0];

    [Fact]
    public void Walk_EndsWhereTheStructureEnds()
    {
        List<(string, int, long)> seen = [];
        ThriftCheck check = new((byte[])[.. Whole, 9, 9], (structure, field, value) => seen.Add((structure, field, value)));

        check.Walk("FileMetaData");

        Assert.Equal(Whole.Length, check.Position);
        Assert.Equal([("FileMetaData", 0, 0L), ("FileMetaData", 1, 1L), ("KeyValue", 0, 0L)], seen);
    }

    [Fact]
    public void Walk_OfWhatIsCutOff_SaysSo() =>
        Assert.All(Enumerable.Range(0, Whole.Length), length => Assert.Throws<EndOfStreamException>(() => Walk(Whole[..length])));

    [Fact]
    public void Walk_OfANumberWithoutAnEnd_SaysSo() =>
        Assert.Contains(
            "a number of more than 5 bytes",
            Assert.Throws<InvalidDataException>(() => Walk([0x15, .. Enumerable.Repeat((byte)0xff, 100)])).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(new byte[] { 0x49, 0xfc, 0xff, 0xff, 0xff, 0x7f }, "a list that claims 268435455 items where 0 bytes are left")]
    [InlineData(new byte[] { 0x68, 0xff, 0xff, 0xff, 0xff, 7, 1 }, "a value that claims 2147483647 bytes where 1 bytes are left")]
    public void Walk_OfACountBeyondTheBytes_NamesIt(byte[] bytes, string message) =>
        Assert.Contains(message, Assert.Throws<EndOfStreamException>(() => Walk(bytes)).Message, StringComparison.Ordinal);

    [Theory]
    // Negative, as the library takes it.
    [InlineData(new byte[] { 0x68, 0xff, 0xff, 0xff, 0xff, 15, 1 }, "a length of 4294967295")]
    // A number where a list should be, and a list of numbers where one of structures should be.
    [InlineData(new byte[] { 0x45, 2, 0 }, "a value of another type (5) in FileMetaData, field 4")]
    [InlineData(new byte[] { 0x49, 0x15, 2, 0 }, "a list of another type (5) in FileMetaData, field 4")]
    // A structure that is not known, with a field in it: the library would take that for one of the footer's own.
    [InlineData(new byte[] { 0xbc, 0x15, 2, 0, 0 }, "a field that is not known here, of a type that cannot be passed over (12) in FileMetaData, field 11")]
    public void Walk_OfAnotherType_NamesTheField(byte[] bytes, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Walk(bytes)).Message, StringComparison.Ordinal);

    [Fact]
    public void Walk_OfListsInListsWithoutEnd_StopsBeforeTheStackDoes() =>
        Assert.Throws<InvalidDataException>(() => Walk([0xb9, .. Enumerable.Repeat((byte)0x19, 1_000_000)]));

    [Fact]
    public void Walk_OfMillionsOfItems_StopsAtABound() =>
        Assert.Contains(
            "more than 1000000 items",
            Assert.Throws<InvalidDataException>(() => Walk([0x49, 0xfc, 0x81, 0x89, 0x7a, .. new byte[2_100_000]])).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Walk_PassesOverFieldsOfNewerWriters() => Walk([0xb5, 2, 0x18, 1, 65, 0x1c, 0, 0x19, 0x25, 2, 4, 0x11, 0]);

    private static void Walk(byte[] bytes) => new ThriftCheck(bytes, (_, _, _) => { }).Walk("FileMetaData");
}
