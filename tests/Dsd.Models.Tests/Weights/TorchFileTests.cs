using System.IO.Compression;
using Dsd.Models.Weights;
using Dsd.Testing;

namespace Dsd.Models.Tests.Weights;

public sealed class TorchFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("model.pth");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ATensor_IsRead()
    {
        Whole().Save(Path);
        using TorchFile file = TorchFile.Open(Path);

        Assert.Equal(["a"], file.Names);
        Assert.Equal("F32 [2, 3]", file.Entry("a").ToString());
        Assert.Equal([2, 3, 4], Read(file, "a", 1, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Read(file, "a", 4, 3));
        Assert.Contains("'b'", Assert.Throws<WeightsException>(() => file.Entry("b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PartsOfAStorage_AreReadByTheirStrides()
    {
        new TorchArchive().Code('}')
            .Tensor("turned", "0", 6, [3, 2], [1, 3])
            .Tensor("row", "0", 6, [3], [1], offset: 3)
            .Tensor("spread", "0", 6, [2, 2], [0, 1])
            .Tensor("none", "0", 6, [0, 4], [4, 1])
            .Code('.').Storage("0", 1, 2, 3, 4, 5, 6).Save(Path);
        using TorchFile file = TorchFile.Open(Path);

        Assert.Equal([1, 4, 2, 5, 3, 6], Read(file, "turned", 0, 6));
        Assert.Equal([4, 5, 6], Read(file, "row", 0, 3));
        Assert.Equal([1, 2, 1, 2], Read(file, "spread", 0, 4));
        Assert.Equal([], Read(file, "none", 0, 0));
    }

    [Fact]
    public void OtherTypes_AreWidened_AndWholeNumbersAreNoWeights()
    {
        new TorchArchive().Code('}')
            .Tensor("half", "0", 2, [2], [1], type: "HalfStorage")
            .Tensor("brain", "1", 2, [2], [1], type: "BFloat16Storage")
            .Tensor("double", "2", 1, [1], [1], type: "DoubleStorage")
            .Tensor("long", "3", 1, [1], [1], type: "LongStorage")
            .Code('.')
            .File("data/0", [0x00, 0x3c, 0x00, 0xc0]).File("data/1", [0x80, 0x3f, 0x00, 0xc0])
            .File("data/2", BitConverter.GetBytes(0.25)).File("data/3", BitConverter.GetBytes(7L)).Save(Path);
        using TorchFile file = TorchFile.Open(Path);

        Assert.Equal([1, -2], Read(file, "half", 0, 2));
        Assert.Equal([1, -2], Read(file, "brain", 0, 2));
        Assert.Equal([0.25f], Read(file, "double", 0, 1));
        Assert.Contains("I64 [1]", Assert.Throws<WeightsException>(() => Read(file, "long", 0, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATrainersFile_GivesNamesThatAreJoined()
    {
        // An ordered dictionary with a state, as modules give it, beside counters and lists.
        new TorchArchive().Code('}')
            .Text("iter").Number(5).Code('s')
            .Text("losses").Code(']').Code('(').Raw([(byte)'G', 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]).Code('N').Raw(0x88).Code('e').Code('s')
            .Text("model_state_dict").Global("collections", "OrderedDict").Code(')').Code('R')
            .Tensor("module.a", "0", 2, [2], [1]).Code('}').Code('b').Code('s')
            .Code('.').Storage("0", 8, 9).Save(Path);
        using TorchFile file = TorchFile.Open(Path);

        Assert.Equal(["model_state_dict.module.a"], file.Names);
        Assert.Equal([8, 9], Read(file, "model_state_dict.module.a", 0, 2));
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("numpy.core.multiarray", "scalar")]
    public void WhatCouldRunAProgram_IsPassedOver_AndNeverATensor(string module, string name)
    {
        string trace = _folder.File("trace");
        new TorchArchive().Code('}').Text("args").Global(module, name).Text($"touch {trace}").Raw(0x85).Code('R').Code('s')
            .Tensor("a", "0", 1, [1], [1]).Code('.').Storage("0", 1).Save(Path);
        using TorchFile file = TorchFile.Open(Path);

        Assert.Equal(["a"], file.Names);
        Assert.False(file.Contains("args"));
        Assert.False(File.Exists(trace));
        Assert.Contains($"an object of '{module}.{name}', which is not read", Assert.Throws<WeightsException>(() => file.Entry("args")).Message);
        Assert.Throws<WeightsException>(() => Read(file, "args", 0, 1));
    }

    [Fact]
    public void ATrainersOptions_BesideItsWeights_ArePassedOver()
    {
        // As torch.save writes {'args': argparse.Namespace(lr=0.5, tensor=…, names=[…]), 'a': tensor}: NEWOBJ, its fields as BUILD's state.
        new TorchArchive().Code('}').Text("args").Global("argparse", "Namespace").Code(')').Raw(0x81).Code('}')
            .Text("lr").Raw([(byte)'G', 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]).Code('s')
            .Tensor("hidden", "0", 2, [2], [1])
            .Text("names").Code(']').Text("x").Code('a').Code('s')
            .Code('b').Code('s')
            .Tensor("a", "0", 2, [2], [1]).Code('.').Storage("0", 3, 4).Save(Path);
        using TorchFile file = TorchFile.Open(Path);

        Assert.Equal(["a"], file.Names);
        Assert.Equal([3, 4], Read(file, "a", 0, 2));
    }

    [Fact]
    public void EntriesAndArgumentsOfAnUnknownObject_AreDropped()
    {
        // A dictionary's and a list's heirs, and an object with named arguments.
        new TorchArchive().Code('}')
            .Text("one").Global("my", "Dict").Code(')').Raw(0x81).Text("key").Number(1).Code('s').Code('(').Text("k").Number(2).Code('u').Code('s')
            .Text("two").Global("my", "List").Code(')').Raw(0x81).Number(1).Code('a').Code('(').Number(2).Code('e').Code('s')
            .Text("three").Global("my", "Other").Code(')').Code('}').Raw(0x92).Code('s')
            .Tensor("a", "0", 1, [1], [1]).Code('.').Storage("0", 5).Save(Path);
        using TorchFile file = TorchFile.Open(Path);

        Assert.Equal(["a"], file.Names);
    }

    [Fact]
    public void AnUnknownObject_IsNoPartOfATensor()
    {
        // As a storage's type, a storage, a tensor's shape, a parameter's tensor, the whole file, a tensor made by an unknown name.
        new TorchArchive().Code('}').Tensor("a", "0", 1, [1], [1], type: "ComplexFloatStorage").Code('.').Storage("0", 1).Save(Path);
        AssertRefused("'torch.ComplexFloatStorage'", "safetensors");
        new TorchArchive().Code('}').Text("a").Global("torch._utils", "_rebuild_tensor_v2").Code('(').Global("os", "system").Number(0).Numbers(1).Numbers(1)
            .Raw(0x89).Code('N').Code('t').Code('R').Code('s').Code('.').Save(Path);
        AssertRefused("6 arguments that do not fit");
        new TorchArchive().Code('}').Text("a").Global("torch._utils", "_rebuild_parameter").Global("os", "system").Raw(0x89).Raw(0x86).Code('R').Code('s')
            .Code('.').Save(Path);
        AssertRefused("2 arguments that do not fit");
        new TorchArchive().Global("my", "Network").Code(')').Raw(0x81).Code('}').Code('b').Code('.').Save(Path);
        AssertRefused("an object of 'my.Network'", "state dict");
        new TorchArchive().Code('}').Text("a").Global("torch._utils", "_rebuild_qtensor").Code(')').Code('R').Code('s').Code('.').Save(Path);
        AssertRefused("none in it, but 'a', an object of 'torch._utils._rebuild_qtensor'");
        new TorchArchive().Code('}').Text("a").Text("no class").Code(')').Raw(0x81).Code('s').Code('.').Save(Path);
        AssertRefused("an object of what is no class");
    }

    [Theory]
    [InlineData('i', "0x69")] // INST
    [InlineData('o', "0x6f")] // OBJ
    [InlineData('P', "0x50")] // PERSID
    [InlineData('S', "0x53")] // STRING
    [InlineData('\x82', "0x82")] // EXT1
    public void AnyOtherInstruction_IsRefused(char code, string found)
    {
        new TorchArchive().Code('}').Code(code).Code('.').Save(Path);
        AssertRefused(found, "at byte 3");
    }

    [Fact]
    public void Calls_ThatDoNotFit_AreRefused()
    {
        new TorchArchive().Code('}').Text("a").Global("torch._utils", "_rebuild_tensor_v2").Code(')').Code('R').Code('s').Code('.').Save(Path);
        AssertRefused("with 0 arguments that do not fit");
        new TorchArchive().Text("a").Code(')').Code('R').Code('.').Save(Path);
        AssertRefused("a call of a with 0 arguments");
        new TorchArchive().Code('}').Text("a").Code('b').Code('.').Save(Path);
        AssertRefused("a state for what is no dictionary");
    }

    [Theory]
    [InlineData(new byte[] { (byte)'t' }, "the end of a group that did not begin")]
    [InlineData(new byte[] { (byte)'R' }, "takes more values than there are")]
    [InlineData(new byte[] { (byte)'h', 7 }, "a use of value 7")]
    [InlineData(new byte[] { (byte)'X', 255, 255, 255, 255 }, "truncated")]
    [InlineData(new byte[] { (byte)'X', 255, 255 }, "truncated")]
    [InlineData(new byte[] { (byte)'K', 1, (byte)'Q' }, "something other than a storage")]
    [InlineData(new byte[] { (byte)'K', 1, (byte)'.' }, "found another object")]
    [InlineData(new byte[] { (byte)'}', (byte)'.' }, "found none in it")]
    [InlineData(new byte[] { 0x80, 9 }, "protocol 9")]
    public void ABrokenPickle_IsRefused(byte[] pickle, string found)
    {
        new TorchArchive().Raw(pickle).Save(Path);
        AssertRefused(found);
    }

    [Fact]
    public void ADictionaryWithinItself_IsRefused()
    {
        new TorchArchive().Code('}').Raw((byte)'q', 0).Text("again").Raw((byte)'h', 0).Code('s').Code('.').Save(Path);
        AssertRefused("a dictionary within itself");
    }

    [Theory]
    [InlineData(new long[] { 7 }, new long[] { 1 }, 0)]
    [InlineData(new long[] { 6 }, new long[] { 1 }, 1)]
    [InlineData(new long[] { 2, 3 }, new long[] { 4, 1 }, 0)]
    [InlineData(new long[] { long.MaxValue, long.MaxValue }, new long[] { 1, 1 }, 0)]
    [InlineData(new long[] { 2 }, new long[] { long.MaxValue }, 2)]
    [InlineData(new long[] { -1 }, new long[] { 1 }, 0)]
    [InlineData(new long[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, new long[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 0)]
    public void AnAbsurdShape_IsRefused_BeforeAnythingIsAllocated(long[] shape, long[] strides, long offset)
    {
        new TorchArchive().Code('}').Tensor("a", "0", 6, shape, strides, offset).Code('.').Storage("0", 1, 2, 3, 4, 5, 6).Save(Path);
        AssertRefused("data.pkl");
    }

    [Fact]
    public void AStorage_IsWhatThePickleSays()
    {
        new TorchArchive().Code('}').Tensor("a", "0", 1L << 60, [1], [1]).Code('.').Storage("0", 1).Save(Path);
        AssertRefused("1152921504606846976 elements of F32", "found 4 bytes");
        new TorchArchive().Code('}').Tensor("a", "1", 1, [1], [1]).Code('.').Storage("0", 1).Save(Path);
        AssertRefused("'model/data/1'", "no such file");
        new TorchArchive().Code('}').Tensor("a", "../0", 1, [1], [1]).Code('.').Storage("0", 1).Save(Path);
        AssertRefused("a storage of the name '../0'");
    }

    [Fact]
    public void AnArchiveOfAnotherKind_IsRefused()
    {
        TorchArchive compressed = new TorchArchive { Compression = CompressionLevel.SmallestSize }.Code('}').Tensor("a", "0", 1000, [1000], [1]).Code('.');
        compressed.Storage("0", new float[1000]).Save(Path);
        AssertRefused("neither compressed nor encrypted");
        Whole().File("byteorder", "big"u8.ToArray()).Save(Path);
        AssertRefused("another byte order");
        Whole().File("data.pkl", []).Save(Path);
        AssertRefused("'model/data.pkl' twice");
        using (ZipArchive zip = new(File.Create(Path), ZipArchiveMode.Create))
        {
            zip.CreateEntry("letter.txt");
        }
        AssertRefused("a zip archive without it");
    }

    [Fact]
    public void FilesThatAreNoArchive_AreNamed()
    {
        File.WriteAllBytes(Path, [0x80, 2, (byte)'}', (byte)'.']);
        AssertRefused("a pickle of Python");
        File.WriteAllText(Path, "<!doctype html><html>");
        AssertRefused("an HTML page");
        File.WriteAllBytes(Path, []);
        AssertRefused("an empty file");
    }

    [Fact]
    public void EveryTruncation_IsRefused()
    {
        Whole().Save(Path);
        byte[] whole = File.ReadAllBytes(Path);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(Path, whole[..length]);
            Assert.Throws<WeightsException>(() => TorchFile.Open(Path).Dispose());
        }
    }

    [Fact]
    public void EveryDamagedByte_IsRefusedOrReadAsData()
    {
        Whole().Save(Path);
        byte[] whole = File.ReadAllBytes(Path);
        for (int i = 0; i < whole.Length; i++)
        {
            foreach (byte damage in new byte[] { 0x01, 0x80, 0xff })
            {
                byte[] damaged = [.. whole];
                damaged[i] ^= damage;
                File.WriteAllBytes(Path, damaged);
                try
                {
                    using TorchFile file = TorchFile.Open(Path);
                    foreach (string name in file.Names.Where(n => file.Entry(n).IsFloating))
                    {
                        file.ReadFloats(name, 0, new float[file.Entry(name).ElementCount]);
                    }
                }
                catch (WeightsException)
                {
                    // What is wrong is said.
                }
            }
        }
    }

    private static TorchArchive Whole() => new TorchArchive().Code('}').Tensor("a", "0", 6, [2, 3], [3, 1]).Code('.').Storage("0", 1, 2, 3, 4, 5, 6);

    private static float[] Read(TorchFile file, string name, long first, int count)
    {
        float[] values = new float[count];
        file.ReadFloats(name, first, values);
        return values;
    }

    private void AssertRefused(params string[] words)
    {
        WeightsException e = Assert.Throws<WeightsException>(() => TorchFile.Open(Path).Dispose());
        Assert.All(words.Append(Path), word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
    }
}
