using System.Formats.Tar;
using System.Text;
using Dsd.Dataset.Formats;
using Dsd.Testing.Runs;

namespace Dsd.Dataset.Tests.Formats;

public sealed class WebDatasetPairReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dsd-webdataset-").FullName;
    private readonly byte[] _png = TestRun.Grid("a", 20).EncodePng();
    private readonly byte[] _jpeg = TestRun.Grid("b", 20).EncodeJpeg();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_OfAnothersTars_TakesCaptionsAsText()
    {
        Write(
            "0000.tar",
            ("./", []),
            ("./notes", [1]),
            ("./x/0001.image.JPG", _jpeg),
            ("./x/0001.conditioning.png", _png),
            ("./x/0001.txt", "one"u8.ToArray()),
            ("./x/0001.depth.npy", [9]));
        Write("0001.tar", ("0002.conditioning.png", _png), ("0002.json", """{"caption":"two","width":7}"""u8.ToArray()), ("0002.image.png", _png));

        PairDataset dataset = PairDataset.Open(_folder);

        Assert.Equal(PairFormat.WebDataset, dataset.Format);
        Assert.Null(dataset.RowCount);
        Assert.Equal([("one", "0001.image.jpg"), ("two", "0002.image.png")], dataset.Read().Select(r => (r.Caption, r.Image.Name!)));
        PairRecord first = dataset.Read().First(r => r.Image.ReadBytes().Length == _jpeg.Length);
        Assert.Equal("one", first.Caption);
    }

    [Fact]
    public void ReadBytes_GivesTheMembersBytesInAnyOrder()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.jpg", _jpeg), ("1.txt", "one"u8.ToArray()));

        foreach (PairRecord row in PairDataset.Open(_folder).Read())
        {
            Assert.Equal(_jpeg, row.Conditioning.ReadBytes().ToArray());
            Assert.Equal(_png, row.Image.ReadBytes().ToArray());
        }
    }

    [Fact]
    public void Read_OfASampleWithoutAPicture_NamesIt()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.txt", [65]), ("2.image.png", _png), ("2.txt", [65]));

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().ToArray());

        Assert.Contains(
            "a.tar', sample '2': expected one member 'conditioning' that is a picture, such as 'conditioning.png', found only 'image.png', 'txt'",
            e.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfASampleWithoutACaption_NamesIt()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.json", "{}"u8.ToArray()));

        Assert.Contains("sample '1': expected a caption", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfATarThatIsCutOff_SaysSo()
    {
        Write(
            "a.tar",
            ("1.image.png", _png),
            ("1.conditioning.png", _png),
            ("1.txt", [65]),
            ("2.image.png", _png),
            ("2.conditioning.png", _png),
            ("2.txt", [65]));
        string file = Path.Combine(_folder, "a.tar");
        byte[] whole = File.ReadAllBytes(file);
        for (int length = whole.Length - 1100; length > 0; length -= 97)
        {
            File.WriteAllBytes(file, whole[..length]);

            try
            {
                PairRecord[] rows = [.. PairDataset.Open(file).Read()];
                // Only between two samples can nobody see it.
                Assert.InRange(rows.Length, 0, 1);
            }
            catch (DatasetException e)
            {
                Assert.Contains(file, e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Open_OfAnythingElse_NamesTheFile()
    {
        File.WriteAllText(Path.Combine(_folder, "a.tar"), string.Concat(Enumerable.Repeat("no tar at all ", 200)));

        Assert.Contains("a.tar': expected a tar", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfAJsonThatIsTooLong_RefusesIt()
    {
        byte[] json = Encoding.UTF8.GetBytes($$"""{"caption":"{{new string('a', 1_100_000)}}"}""");
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.json", json));

        Assert.Contains(
            "member 'json': expected at most 1048576 bytes",
            Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfTextThatIsNotUtf8_NamesTheMember()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.txt", Encoding.Latin1.GetBytes("größer")));
        Write("b/b.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.json", Encoding.Latin1.GetBytes("""{"caption":"größer"}""")));
        Write("c/c.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.txt", Encoding.Unicode.GetPreamble()));

        Assert.Contains("a.tar', sample '1', member 'txt': expected text in UTF-8, found byte 0xf6 at 2", Refused("a.tar"), StringComparison.Ordinal);
        Assert.Contains("b.tar', sample '1', member 'json': expected text in UTF-8, found byte 0xf6 at 14", Refused("b", "b.tar"), StringComparison.Ordinal);
        Assert.Contains("c.tar', sample '1', member 'txt': expected text in UTF-8, found UTF-16", Refused("c", "c.tar"), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PassesOverByteOrderMarks()
    {
        Write(
            "a.tar",
            ("1.image.png", _png), ("1.conditioning.png", _png), ("1.txt", [.. Encoding.UTF8.Preamble, .. "größer"u8]),
            ("2.image.png", _png), ("2.conditioning.png", _png), ("2.json", [.. Encoding.UTF8.Preamble, .. """{"caption":"two","votes":3.0}"""u8]));

        Assert.Equal(["größer", "two"], PairDataset.Open(_folder).Read().Select(r => r.Caption));
    }

    [Fact]
    public void Open_OfANameThatIsNotUtf8_NamesTheFile()
    {
        // Two such names would have become one sample.
        Lay("a.tar", Member("größe.image.png", _png), Member("größe.conditioning.png", _png), Member("größe.txt", [65]));

        Assert.Contains("a.tar', member 'gr\ufffd\ufffde.image.png': expected a name in UTF-8", Refused("a.tar"), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Sizes => new()
    {
        { "77777777777\0", "8589934591" },
        { "00000010000\0", "4096" },
        // In binary, as GNU tar writes what octal digits cannot: nearly 2⁶³, and less than nothing.
        { "\u0080\0\0\0\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", "9223372036854775807" },
        { "\u0080\u00ff\u00ff\u00ff\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", "9223372036854775807" },
        { "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00fe", "-2" },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Open_OfAMemberOfImpossibleSize_NamesIt(string size, string found)
    {
        foreach (char kind in "0\0z7xgLK")
        {
            Lay("a.tar", Member("1.image.png", _png), Member("1.conditioning.png", [1], kind, size), Member("1.txt", [65]));

            Assert.Matches(
                $"a.tar', member '1.conditioning.png': expected at most [0-9]+ bytes(, as the file has behind its header| of attributes), found {found}",
                Refused("a.tar"));
        }
    }

    [Fact]
    public void Open_OfAHeaderWhoseChecksumIsWrong_NamesTheMember()
    {
        byte[] second = Member("1.conditioning.png", _png);
        second[100]++;
        Lay("a.tar", Member("1.image.png", _png), second, Member("1.txt", [65]));

        Assert.Contains("a.tar', member '1.conditioning.png': expected a header with its checksum", Refused("a.tar"), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfAttributesThatClaimMuch_TakesNoMemoryForThem()
    {
        using (FileStream file = File.Create(Path.Combine(_folder, "a.tar")))
        {
            file.Write(Member("attributes", [], 'x', "00100000000\0"));
            file.SetLength(20_000_000);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Contains(
            "a.tar', member 'attributes': expected at most 1048576 bytes of attributes, found 16777216", Refused("a.tar"), StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
    }

    [Theory]
    [InlineData("99999999999999999999")]
    [InlineData("9223372036854775807")]
    [InlineData("5000000")]
    [InlineData("-1")]
    [InlineData("much")]
    public void Open_OfAttributesWithAnImpossibleSize_NamesTheFile(string size)
    {
        Lay("a.tar", Member("x", Attribute("size", size), 'x'), Member("1.image.png", _png), Member("1.conditioning.png", _png), Member("1.txt", [65]));

        Assert.Contains("a.tar'", Refused("a.tar"), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfASparseMember_SaysWhatToDo()
    {
        Lay("a.tar", Member("1.image.png", _png, 'S'), Member("1.conditioning.png", _png), Member("1.txt", [65]));
        Lay(
            "b.tar",
            Member("x", [.. Attribute("GNU.sparse.major", "1"), .. Attribute("GNU.sparse.name", "1.image.png")], 'x'),
            Member("GNUSparseFile.0/1.image.png", _png),
            Member("1.txt", [65]));

        Assert.Contains("a.tar', member '1.image.png': expected a file as it is, found a sparse one", Refused("a.tar"), StringComparison.Ordinal);
        Assert.Matches("b.tar', member '.*1.image.png': expected a file as it is, found a sparse one", Refused("b.tar"));
    }

    // Neither 'datasets' (isreg) nor webdataset follows them.
    [Fact]
    public void Open_OfLinks_DoesNotFollowThem()
    {
        using (FileStream stream = File.Create(Path.Combine(_folder, "a.tar")))
        using (TarWriter writer = new(stream, TarEntryFormat.Pax))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "1.image.png") { LinkName = "/etc/hostname" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "1.conditioning.png") { LinkName = "1.image.png" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "1.txt") { DataStream = new MemoryStream([65]) });
        }

        Assert.Contains(
            "sample '1': expected one member 'image' that is a picture, such as 'image.png', found only 'txt'", Refused("a.tar"), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfEveryChangedByte_NamesTheFile()
    {
        Lay(
            "a.tar",
            Member("x", Attribute("mtime", "1.5"), 'x'),
            Member("1.image.png", [1]),
            Member("1.conditioning.png", [2]),
            Member("1.txt", [65]),
            Member("2.image.png", [1]),
            Member("2.conditioning.png", [2]),
            Member("2.json", """{"caption":"a"}"""u8.ToArray()));
        string file = Path.Combine(_folder, "a.tar");
        byte[] whole = File.ReadAllBytes(file);
        Random random = new(1);
        for (int i = 0; i < 1000; i++)
        {
            byte[] damaged = [.. whole];
            int at = random.Next(whole.Length);
            damaged[at] = (byte)random.Next(256);
            // Every second time as somebody does it who knows the checksum.
            if (i % 2 == 0)
            {
                Sum(damaged.AsSpan(at / 512 * 512, 512));
            }
            File.WriteAllBytes(file, damaged);
            try
            {
                _ = PairDataset.Open(file).Read().Sum(r => r.Image.ReadBytes().Length + r.Conditioning.ReadBytes().Length);
            }
            catch (DatasetException e)
            {
                Assert.Contains(file, e.Message, StringComparison.Ordinal);
            }
        }
    }

    private string Refused(params string[] file) =>
        Assert.Throws<DatasetException>(() => PairDataset.Open(Path.Combine([_folder, .. file])).Read().ToArray()).Message;

    private void Lay(string file, params byte[][] members) =>
        File.WriteAllBytes(Path.Combine(_folder, file), [.. members.SelectMany(m => m), .. new byte[1024]]);

    /// <summary>A member as bytes, whatever its header claims.</summary>
    private static byte[] Member(string name, byte[] bytes, char kind = '0', string? size = null)
    {
        byte[] member = new byte[512 + (bytes.Length + 511) / 512 * 512];
        Encoding.Latin1.GetBytes(name, member);
        Encoding.Latin1.GetBytes("0000644\00000000\00000000\0", member.AsSpan(100));
        Encoding.Latin1.GetBytes(size ?? $"{Convert.ToString(bytes.Length, 8).PadLeft(11, '0')}\0", member.AsSpan(124));
        Encoding.Latin1.GetBytes("00000000000\0", member.AsSpan(136));
        member[156] = (byte)kind;
        Encoding.Latin1.GetBytes("ustar\000", member.AsSpan(257));
        bytes.CopyTo(member, 512);
        Sum(member.AsSpan(0, 512));
        return member;
    }

    private static void Sum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte b in header)
        {
            sum += b;
        }
        Encoding.Latin1.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ", header[148..]);
    }

    private static byte[] Attribute(string key, string value)
    {
        int length = key.Length + value.Length + 3;
        length += $"{length}".Length;
        length = key.Length + value.Length + 3 + $"{length}".Length;
        return Encoding.ASCII.GetBytes($"{length} {key}={value}\n");
    }

    private void Write(string file, params (string Name, byte[] Bytes)[] members)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, file))!);
        using FileStream stream = File.Create(Path.Combine(_folder, file));
        using TarWriter writer = new(stream, TarEntryFormat.Pax);
        foreach ((string name, byte[] bytes) in members)
        {
            using MemoryStream data = new(bytes);
            writer.WriteEntry(
                name.EndsWith('/') ? new PaxTarEntry(TarEntryType.Directory, name) : new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data });
        }
    }
}
