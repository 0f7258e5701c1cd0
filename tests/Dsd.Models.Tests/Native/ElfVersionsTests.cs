using System.Buffers.Binary;
using System.Text;
using Dsd.Models.Native;

namespace Dsd.Models.Tests.Native;

public sealed class ElfVersionsTests
{
    private const int Strings = 64;
    private const int FirstNeed = 128;
    private const int FirstRequest = FirstNeed + 16;
    private const int SecondRequest = FirstRequest + 16;
    private const int SecondNeed = SecondRequest + 16;
    private const int ThirdRequest = SecondNeed + 16;
    private const int Sections = 256;

    [Fact]
    public void Weaken_MarksEveryRequestForTheVersion()
    {
        byte[] image = Library();
        Assert.True(ElfVersions.Weaken(image, "V_2"));
        Assert.Equal((0, 2, 2), (Flags(image, FirstRequest), Flags(image, SecondRequest), Flags(image, ThirdRequest)));
    }

    [Fact]
    public void Weaken_ChangesNothingElse()
    {
        byte[] image = Library();
        ElfVersions.Weaken(image, "V_2");
        byte[] expected = Library();
        expected[SecondRequest + 4] = expected[ThirdRequest + 4] = 2;
        Assert.Equal(expected, image);
    }

    [Fact]
    public void Weaken_ChangesNothingTheSecondTime()
    {
        byte[] once = Library();
        ElfVersions.Weaken(once, "V_2");
        byte[] twice = [.. once];
        Assert.True(ElfVersions.Weaken(twice, "V_2"));
        Assert.Equal(once, twice);
    }

    [Theory]
    [InlineData("V_3")]
    [InlineData("V_")]
    [InlineData("V_22")]
    public void Weaken_TakesNoOtherVersion(string version)
    {
        byte[] image = Library();
        Assert.False(ElfVersions.Weaken(image, version));
        Assert.Equal(Library(), image);
    }

    [Fact]
    public void Weaken_LeavesOtherFilesAlone()
    {
        byte[] image = Encoding.ASCII.GetBytes(new string('M', 500));
        Assert.False(ElfVersions.Weaken(image, "V_2"));
        Assert.Equal(new string('M', 500), Encoding.ASCII.GetString(image));
    }

    [Fact]
    public void Weaken_LeavesA32BitLibraryAlone()
    {
        byte[] image = Library();
        image[4] = 1;
        Assert.False(ElfVersions.Weaken(image, "V_2"));
    }

    [Fact]
    public void Weaken_FindsTheVersionInTorchSharpsOwnLibrary()
    {
        string? library = Directory.EnumerateFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories).FirstOrDefault();
        if (!OperatingSystem.IsLinux() || library is null)
        {
            return; // Other systems carry no such library.
        }
        byte[] image = File.ReadAllBytes(library);
        byte[] before = [.. image];
        Assert.True(ElfVersions.Weaken(image, "GLIBCXX_3.4.32"));
        Assert.InRange(before.Zip(image).Count(p => p.First != p.Second), 0, 1);
    }

    private static int Flags(byte[] image, int request) => BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan(request + 4));

    /// <summary>The least 64-bit library that asks two others for V_1 and V_2, and for V_2.</summary>
    private static byte[] Library()
    {
        byte[] image = new byte[Sections + 3 * 64];
        new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(image, 0);
        Write64(image, 0x28, Sections);
        Write16(image, 0x3a, 64);
        Write16(image, 0x3c, 3);
        Encoding.ASCII.GetBytes("\0lib.so\0V_1\0V_2\0").CopyTo(image, Strings);
        Need(image, FirstNeed, requests: 2, next: SecondNeed - FirstNeed);
        Request(image, FirstRequest, name: 8, next: 16);
        Request(image, SecondRequest, name: 12, next: 0);
        Need(image, SecondNeed, requests: 1, next: 0);
        Request(image, ThirdRequest, name: 12, next: 0);
        Section(image, 1, type: 3, offset: Strings, link: 0);
        Section(image, 2, type: 0x6ffffffe, offset: FirstNeed, link: 1);
        return image;
    }

    private static void Need(byte[] image, int at, ushort requests, uint next)
    {
        Write16(image, at, 1);
        Write16(image, at + 2, requests);
        Write32(image, at + 4, 1);
        Write32(image, at + 8, 16);
        Write32(image, at + 12, next);
    }

    private static void Request(byte[] image, int at, uint name, uint next)
    {
        Write32(image, at + 8, name);
        Write32(image, at + 12, next);
    }

    private static void Section(byte[] image, int index, uint type, ulong offset, uint link)
    {
        int at = Sections + index * 64;
        Write32(image, at + 4, type);
        Write64(image, at + 0x18, offset);
        Write32(image, at + 0x28, link);
    }

    private static void Write16(byte[] image, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), value);

    private static void Write32(byte[] image, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);

    private static void Write64(byte[] image, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at), value);
}
