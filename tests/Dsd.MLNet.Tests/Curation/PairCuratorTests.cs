using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Testing;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Curation;

public sealed class PairCuratorTests
{
    private readonly MLContext _ml = new(1);

    [Fact]
    public void Transform_JudgesEachRowOnce_AndKeepsTheirOrder()
    {
        AnsweringClient client = new(number => number != 1);
        using PairCuratorTransformer fitted = Fit(new PairCuratorOptions { ChatClient = client, Judging = new PairJudgeOptions { Concurrency = 1 } }, 3);
        IDataView judged = fitted.Transform(Views.Pairs(_ml, true, true, true));
        Assert.Equal(["True", "False", "True"], Views.Column(judged, "Kept"));
        Assert.Equal(3, client.Asked);
    }

    [Fact]
    public void Transform_AsksNobodyForColumnsThatItPassesThrough()
    {
        AnsweringClient client = new(_ => true);
        using PairCuratorTransformer fitted = Fit(new PairCuratorOptions { ChatClient = client }, 2);
        Views.Column(fitted.Transform(Views.Pairs(_ml, true, true)), "Reference");
        Assert.Equal(0, client.Asked);
    }

    [Fact]
    public async Task Transform_AsksAboutSoManyRowsAtOnce()
    {
        TaskCompletionSource both = new();
        int waiting = 0;
        AnsweringClient client = new(_ => true)
        {
            Before = async cancel =>
            {
                if (Interlocked.Increment(ref waiting) == 2)
                {
                    both.SetResult();
                }
                await both.Task.WaitAsync(cancel);
            },
        };
        using PairCuratorTransformer fitted = Fit(new PairCuratorOptions { ChatClient = client, Judging = new PairJudgeOptions { Concurrency = 2 } }, 2);
        string[] kept = await Task.Run(() => Views.Column(fitted.Transform(Views.Pairs(_ml, true, true)), "Kept"));
        Assert.Equal(["True", "True"], kept);
    }

    [Fact]
    public void Transform_NamesTheRowWhoseClientFails_WhateverTheOthersDo()
    {
        AnsweringClient client = new(_ => true) { Before = _ => throw new HttpRequestException("no network") };
        PairCuratorOptions options = new() { ChatClient = client, BadRows = BadRows.Skip, Judging = new PairJudgeOptions { Concurrency = 1 } };
        using PairCuratorTransformer fitted = Fit(options, 1);
        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(fitted.Transform(Views.Pairs(_ml, true, true)), "Kept"));
        Assert.Equal((0, "Kept"), (e.Row, e.Column));
    }

    [Fact]
    public void ATask_BringsTheJudgesQuestion()
    {
        RecordingClient plain = new(_ => "no JSON");
        RecordingClient tasked = new(_ => "no JSON");
        foreach ((RecordingClient client, CurationTask? task) in new[] { (plain, null), (tasked, CurationTask.Load("relighting")) })
        {
            using PairCuratorTransformer fitted = Fit(new PairCuratorOptions { ChatClient = client, Task = task }, 1);
            Views.Column(fitted.Transform(Views.Pairs(_ml, true)), "Kept");
        }
        Assert.NotEmpty(plain.Questions);
        Assert.NotEqual(plain.Questions[0], tasked.Questions[0]);
    }

    [Fact]
    public void Options_ThatContradictEachOther_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new PairCurator(_ml, new PairCuratorOptions { KeptColumn = "X", ReasonColumn = "X" }));
        Assert.Throws<ArgumentException>(() => new PairCurator(_ml, new PairCuratorOptions { BadRows = BadRows.Mark, ErrorColumn = "Kept" }));
        Assert.Throws<ArgumentException>(() => new PairCurator(_ml, new PairCuratorOptions { ChatClient = new AnsweringClient(_ => true), Judge = "gpt" }));
        Assert.Throws<InvalidOperationException>(() => Fit(new PairCuratorOptions { Judge = "nobody" }, 1));
    }

    [Fact]
    public void Save_OfAClientWithoutAName_IsRefused()
    {
        using TemporaryFolder folder = new();
        using PairCuratorTransformer fitted = Fit(new PairCuratorOptions { ChatClient = new AnsweringClient(_ => true) }, 1);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(
            () => _ml.Model.Save(fitted, Views.Pairs(_ml, true).Schema, folder.File("model.zip")));
        Assert.Contains("PairCurator", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_ChangesTheJudge()
    {
        AnsweringClient never = new(_ => false);
        using PairCuratorTransformer fitted = Fit(new PairCuratorOptions { ChatClient = new AnsweringClient(_ => true) }, 1);
        using PairCuratorTransformer other = fitted.With(fitted.Options with { ChatClient = never });
        Assert.Equal(["False"], Views.Column(other.Transform(Views.Pairs(_ml, true)), "Kept"));
        Assert.Equal(["True"], Views.Column(fitted.Transform(Views.Pairs(_ml, true)), "Kept"));
    }

    // The input has a column 'Kept' of its own, which the stage's hides.
    private PairCuratorTransformer Fit(PairCuratorOptions options, int rows) =>
        new PairCurator(_ml, options).Fit(Views.Pairs(_ml, [.. Enumerable.Repeat(true, rows)]));
}
