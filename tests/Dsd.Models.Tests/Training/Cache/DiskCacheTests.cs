using Dsd.Models.Training.Cache;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Training.Cache;

public sealed class DiskCacheTests : IDisposable
{
    private static readonly CacheKey Key = new(1, 2, 3, 4);
    private static readonly long[][] Shapes = [[1, 5], [2, 1, 3]];
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly DiskCache _cache;

    public DiskCacheTests() => _cache = new DiskCache(_folder.File("cache"));

    [Fact]
    public void AnEntry_ComesBackAsItWas()
    {
        Tensor[] parts = Write();

        Assert.Equal(EntryState.Whole, _cache.StateOf(Key, Shapes));
        Tensor[] found = DiskCache.Tensors(_cache.Read(Key));
        Assert.Equal([float32, bfloat16], found.Select(f => f.dtype));
        TensorAssert.Equal(parts[0], found[0]);
        TensorAssert.Equal(parts[1].to(float32), found[1].to(float32));
    }

    [Fact]
    public void ItsFile_LiesInAFolderOfTheFirstDigits()
    {
        Write();
        string file = Assert.Single(Directory.GetFiles(_folder.File("cache"), "*", SearchOption.AllDirectories));
        Assert.Equal(_folder.File("cache", "01", $"{Key}.safetensors"), file);
        Assert.StartsWith("0100000000000000020000000000000003", Key.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AKeyWithoutEntry_IsMissing()
    {
        Assert.Equal(EntryState.Missing, _cache.StateOf(Key, null));
        Assert.Contains(_cache.PathOf(Key), Assert.Throws<IOException>(() => _cache.Read(Key)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnyChangedByte_IsNoticed()
    {
        Write();
        byte[] whole = File.ReadAllBytes(_cache.PathOf(Key));
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 0x10;
            File.WriteAllBytes(_cache.PathOf(Key), changed);
            Assert.True(_cache.StateOf(Key, Shapes) == EntryState.Damaged, $"byte {i}");
        }
    }

    [Fact]
    public void AnyMissingEnd_IsNoticed()
    {
        Write();
        byte[] whole = File.ReadAllBytes(_cache.PathOf(Key));
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_cache.PathOf(Key), whole[..length]);
            Assert.True(_cache.StateOf(Key, Shapes) == EntryState.Damaged, $"length {length}");
        }
    }

    [Fact]
    public void AnEntryOfAnotherKeyOrShape_IsNotTaken()
    {
        Write();
        CacheKey other = Key with { D = 5 };
        File.Copy(_cache.PathOf(Key), _cache.PathOf(other));

        Assert.Equal(EntryState.Damaged, _cache.StateOf(other, Shapes));
        Assert.Equal(EntryState.Damaged, _cache.StateOf(Key, [[1, 5]]));
        Assert.Equal(EntryState.Damaged, _cache.StateOf(Key, [[1, 5], [2, 3]]));
    }

    [Fact]
    public async Task SeveralWriters_OfOneEntry_LeaveItWhole()
    {
        byte[][] numbers = [.. Enumerable.Range(0, 4).Select(_ => new byte[4000])];
        bool stopped = false;
        Task reading = Task.Run(() =>
        {
            while (!Volatile.Read(ref stopped))
            {
                Assert.NotEqual(EntryState.Damaged, _cache.StateOf(Key, null));
            }
        });
        System.Threading.Tasks.Parallel.ForEach(numbers, bytes =>
        {
            for (int i = 0; i < 10; i++)
            {
                using Tensor part = tensor(bytes);
                new DiskCache(_folder.File("cache")).Write(Key, [part]);
            }
        });
        Volatile.Write(ref stopped, true);
        await reading;

        Assert.Equal(EntryState.Whole, _cache.StateOf(Key, null));
        Assert.Single(Directory.GetFiles(_folder.File("cache"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void AFileInItsPlace_IsNamed()
    {
        File.WriteAllText(_folder.File("file"), "");
        Assert.Contains(_folder.File("file"), Assert.Throws<IOException>(() => new DiskCache(_folder.File("file"))).Message, StringComparison.Ordinal);
        string below = _folder.File("file", "cache");
        Assert.Contains(below, Assert.Throws<IOException>(() => new DiskCache(below)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private Tensor[] Write()
    {
        Tensor[] parts = [arange(5, dtype: float32).reshape(1, 5), (arange(6, dtype: float32) / 3).reshape(2, 1, 3).to(bfloat16)];
        _cache.Write(Key, parts);
        return parts;
    }
}
