using System.Diagnostics;
using System.Net.Sockets;
using Dsd.Models.Training.Parallel;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Training.Parallel;

public class TrainingGroupTests
{
    [Theory]
    [InlineData(1, 7)]
    [InlineData(2, 1)]
    [InlineData(2, (1 << 20) + 3)]
    [InlineData(3, 1_234_567)]
    [InlineData(5, 13)]
    public void AllReduce_IsTheMean_WithTheSameBitsEverywhere(int world, long size)
    {
        Tensor[] found = new Tensor[world];
        Ranks.Run(world, group =>
        {
            Tensor own = Numbers(group.Rank, size);
            group.AllReduce(own);
            group.AllReduce(own); // the mean of means is the same
            found[group.Rank] = own;
        });
        Tensor expected = Enumerable.Range(0, world).Select(rank => Numbers(rank, size).to(ScalarType.Float64)).Aggregate((a, b) => a + b) / world;
        TensorAssert.Close(expected, found[0], 1e-6);
        Assert.All(found, f => TensorAssert.Equal(found[0], f));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Broadcast_GivesAllTheRoots(int root) => Ranks.Run(3, group =>
    {
        Tensor numbers = tensor(new[] { 10L * group.Rank, 7 });
        Tensor bytes = full(5_000_000, group.Rank, ScalarType.Byte);
        Tensor none = zeros(0);
        group.Broadcast(numbers, root);
        group.Broadcast(none, root);
        group.Broadcast(bytes, root);
        group.Barrier();
        Assert.Equal([10L * root, 7], numbers.data<long>().ToArray());
        Assert.Equal(5_000_000L * root, bytes.sum().item<long>());
    });

    [Fact]
    public void Barrier_WaitsForAll()
    {
        int come = 0;
        Ranks.Run(3, group =>
        {
            Thread.Sleep(100 * group.Rank);
            Interlocked.Increment(ref come);
            group.Barrier();
            Assert.Equal(3, Volatile.Read(ref come));
        });
    }

    [Fact]
    public void ADeadRank_EndsTheOthersSoon_WithItsNumber()
    {
        Stopwatch watch = Stopwatch.StartNew();
        Exception?[] errors = Ranks.Try(3, group =>
        {
            Tensor numbers = ones(1000);
            group.AllReduce(numbers);
            if (group.Rank == 1)
            {
                group.Die();
                return;
            }
            group.AllReduce(numbers);
            group.AllReduce(numbers);
        });
        Assert.Null(errors[1]);
        foreach (int rank in new[] { 0, 2 })
        {
            TrainingGroupException e = Assert.IsType<TrainingGroupException>(errors[rank]);
            Assert.Equal(1, e.Rank);
            Assert.Contains("Rank 1 ", e.Message);
        }
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"{watch.Elapsed}");
    }

    [Fact]
    public void ADeadRank_IsNoticedWhileNothingIsExchanged()
    {
        Exception?[] errors = Ranks.Try(3, group =>
        {
            if (group.Rank == 0)
            {
                group.Die();
                return;
            }
            Stopwatch watch = Stopwatch.StartNew();
            while (watch.Elapsed < TimeSpan.FromSeconds(20))
            {
                group.Check();
                Thread.Sleep(20);
            }
        });
        Assert.All(errors[1..], e => Assert.Contains("Rank 0", Assert.IsType<TrainingGroupException>(e).Message));
    }

    [Fact]
    public void ARankThatEndsWithAnError_TellsTheOthersWhy()
    {
        Exception?[] errors = Ranks.Try(3, group =>
        {
            if (group.Rank == 2)
            {
                group.Leave("out of memory");
                return;
            }
            group.Barrier();
        });
        Assert.All(errors[..2], e => Assert.Equal("Rank 2 has ended with an error: out of memory", Assert.IsType<TrainingGroupException>(e).Message));
    }

    [Fact]
    public void ARankThatLeaves_IsMissedOnlyByThoseWhoGoOn()
    {
        Exception?[] errors = Ranks.Try(3, group =>
        {
            group.Barrier();
            if (group.Rank != 2)
            {
                Thread.Sleep(500);
                group.Barrier();
            }
        });
        Assert.Null(errors[2]);
        Assert.All(errors[..2], e => Assert.Equal(2, Assert.IsType<TrainingGroupException>(e).Rank));
    }

    [Fact]
    public void RanksThatDoDifferentThings_AreNamed()
    {
        Exception?[] errors = Ranks.Try(2, group => group.AllReduce(ones(10 + group.Rank)));
        foreach (Exception? error in errors)
        {
            TrainingGroupException e = Assert.IsType<TrainingGroupException>(error);
            Assert.Equal(1, e.Rank);
            Assert.Contains("40 bytes", e.Message);
            Assert.Contains("44 bytes", e.Message);
        }
    }

    [Fact]
    public async Task AStranger_IsSentAway_AndDisturbsNobody()
    {
        int port = Ranks.FreePort();
        Task<float> first = Task.Factory.StartNew(() => Join(0), TaskCreationOptions.LongRunning);
        byte[][] words = [[], [1, 2, 3], "GET / HTTP/1.1\r\nHost: somebody\r\n\r\n"u8.ToArray(), new byte[200_000], [.. "DSDGROUP"u8, .. new byte[100]]];
        List<TcpClient> strangers = [];
        foreach (byte[] word in words)
        {
            TcpClient stranger = Come(port);
            strangers.Add(stranger);
            try
            {
                stranger.GetStream().Write(word);
            }
            catch (IOException)
            {
                // Thrown out while it still spoke.
            }
        }
        Task<float> second = Task.Factory.StartNew(() => Join(1), TaskCreationOptions.LongRunning);
        float[] means = await Task.WhenAll(first, second).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal([0.5f, 0.5f], means);
        strangers.ForEach(s => s.Dispose());

        float Join(int rank)
        {
            using TrainingGroup group = TrainingGroup.Connect(Ranks.Options(rank, 2, port));
            using Tensor number = full(1, rank, ScalarType.Float32);
            group.AllReduce(number);
            return number.item<float>();
        }
    }

    [Fact]
    public async Task AProcessOfAnotherRunOrSize_IsRefusedWithAReason()
    {
        int port = Ranks.FreePort();
        TrainingGroupOptions Of(int rank) => Ranks.Options(rank, 2, port) with { Job = "ours", ConnectTimeout = TimeSpan.FromSeconds(20) };
        Task<TrainingGroup> first = Task.Factory.StartNew(() => TrainingGroup.Connect(Of(0)), TaskCreationOptions.LongRunning);
        TrainingGroupException e = Assert.Throws<TrainingGroupException>(() => TrainingGroup.Connect(Of(1) with { Job = "theirs" }));
        Assert.Contains("another run", e.Message);
        e = Assert.Throws<TrainingGroupException>(() => TrainingGroup.Connect(Of(1) with { WorldSize = 3 }));
        Assert.Contains("3 processes, rank 0 2", e.Message);
        using TrainingGroup second = TrainingGroup.Connect(Of(1));
        (await first).Dispose();
    }

    [Fact]
    public async Task ARankThatDoesNotCome_IsNamed()
    {
        int port = Ranks.FreePort();
        TrainingGroupOptions Of(int rank) => Ranks.Options(rank, 3, port) with { ConnectTimeout = TimeSpan.FromSeconds(2) };
        Task<Exception?> first = Task.Factory.StartNew(() => (Exception?)Record.Exception(() => TrainingGroup.Connect(Of(0))), TaskCreationOptions.LongRunning);
        Exception? second = Record.Exception(() => TrainingGroup.Connect(Of(1)));
        Assert.Contains("rank 2 did not come", Assert.IsType<TrainingGroupException>(await first).Message);
        Assert.Contains("rank 2 did not come", Assert.IsType<TrainingGroupException>(second).Message);
    }

    [Fact]
    public void Connect_WithoutRankZero_GivesUp()
    {
        TrainingGroupOptions options = Ranks.Options(1, 2, Ranks.FreePort()) with { ConnectTimeout = TimeSpan.FromSeconds(1) };
        Assert.Contains("Rank 0 is not at 127.0.0.1:", Assert.Throws<TrainingGroupException>(() => TrainingGroup.Connect(options)).Message);
    }

    [Fact]
    public void AllReduce_RefusesWhatItCannotAverage() => Ranks.Run(1, group =>
    {
        Assert.Throws<ArgumentException>(() => group.AllReduce(zeros(3, ScalarType.Int64)));
        Assert.Throws<ArgumentException>(() => group.AllReduce(zeros(3, 4).t()));
        Assert.Throws<ArgumentOutOfRangeException>(() => group.Broadcast(zeros(3), 1));
    });

    [Fact]
    public void AllReduce_LeavesNoTensorBehind() => Ranks.Run(2, group => LiveTensors.AssertUnchanged(() =>
    {
        using Tensor numbers = ones(100);
        group.AllReduce(numbers);
        group.Broadcast(numbers, 1);
    }));

    [Fact]
    public void FromEnvironment_ReadsTorchrunsVariables()
    {
        Dictionary<string, string> set = Set();
        TrainingGroupOptions options = TrainingGroupOptions.FromEnvironment(n => set.GetValueOrDefault(n))!;
        Assert.Equal((3, 4, 1, "node1", 29500), (options.Rank, options.WorldSize, options.LocalRank, options.MasterAddress, options.MasterPort));
        set["TORCHELASTIC_USE_AGENT_STORE"] = "True";
        Assert.Equal(29501, TrainingGroupOptions.FromEnvironment(n => set.GetValueOrDefault(n))!.MasterPort);
        Assert.Null(TrainingGroupOptions.FromEnvironment(_ => null));
    }

    [Theory]
    [InlineData("WORLD_SIZE", null, "WORLD_SIZE are not")]
    [InlineData("MASTER_ADDR", "", "MASTER_ADDR are not")]
    [InlineData("RANK", "4", "RANK must be below WORLD_SIZE")]
    [InlineData("RANK", "-1", "RANK is '-1'")]
    [InlineData("WORLD_SIZE", "four", "WORLD_SIZE is 'four'")]
    [InlineData("MASTER_PORT", "70000", "MASTER_PORT is '70000'")]
    public void FromEnvironment_RefusesHalfSetAndContradictingVariables(string name, string? value, string says)
    {
        Dictionary<string, string> set = Set();
        set.Remove(name);
        if (value is not null)
        {
            set[name] = value;
        }
        Assert.Contains(says, Assert.Throws<ArgumentException>(() => TrainingGroupOptions.FromEnvironment(n => set.GetValueOrDefault(n))).Message);
    }

    private static Dictionary<string, string> Set() => new()
    {
        ["RANK"] = "3",
        ["WORLD_SIZE"] = "4",
        ["LOCAL_RANK"] = "1",
        ["MASTER_ADDR"] = "node1",
        ["MASTER_PORT"] = "29500",
    };

    private static Tensor Numbers(int rank, long size)
    {
        using Generator random = new((ulong)rank + 1);
        return randn(size, generator: random);
    }

    private static TcpClient Come(int port)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return new TcpClient("127.0.0.1", port);
            }
            catch (SocketException) when (watch.Elapsed < TimeSpan.FromSeconds(20))
            {
                Thread.Sleep(20);
            }
        }
    }
}
