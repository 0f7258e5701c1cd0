using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Flux;

/// <summary><see cref="FluxTransformer.Show"/>: what a loss sees that looks within.</summary>
public sealed class FluxShowTests : IDisposable
{
    private readonly FluxTransformer _transformer = new(FluxFixture.Tiny, seed: 5);
    private readonly TensorDictionary _inputs = FluxFixture.Inputs(FluxFixture.Tiny);

    public FluxShowTests()
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(5, CPU);
        foreach (Parameter parameter in _transformer.parameters())
        {
            // At its start every block is the identity, so that all of them would show the same.
            parameter.add_(0.1 * randn(parameter.shape, generator: generator));
        }
    }

    private int Blocks => _transformer.Doubles.Count + _transformer.Singles.Count;

    public void Dispose()
    {
        _inputs.Dispose();
        _transformer.Dispose();
    }

    [Fact]
    public void WhatIsShown_IsTheStreamAfterTheBlock()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] expected = Streams();

        Tensor[] shown = [.. Enumerable.Range(0, Blocks).Select(block => Shown(scope, block))];

        Assert.All(shown.Zip(expected), pair => TensorAssert.Equal(pair.Second, pair.First));
        // Were two of them alike, a block could show another one's.
        Assert.All(Enumerable.Range(1, Blocks - 1), i => Assert.False(ImageOf(shown[i]).allclose(ImageOf(shown[i - 1]))));
    }

    [Fact]
    public void TheVelocity_IsTheSameWithAndWithoutIt()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor before = FluxFixture.Run(_transformer, _inputs);

        for (int block = 0; block < Blocks; block++)
        {
            int looks = 0;
            _transformer.Show(block, _ => looks++);
            TensorAssert.Equal(before, FluxFixture.Run(_transformer, _inputs));
            TensorAssert.Equal(before, FluxFixture.Run(_transformer, _inputs));
            Assert.Equal(2, looks);
            _transformer.Show(block, null);
            TensorAssert.Equal(before, FluxFixture.Run(_transformer, _inputs));
            Assert.Equal(2, looks);
        }
    }

    [Fact]
    public void SeveralBlocks_AreShownInOrder()
    {
        List<int> order = [];
        for (int block = 0; block < Blocks; block++)
        {
            int own = block;
            _transformer.Show(block, _ => order.Add(own));
        }

        FluxFixture.Run(_transformer, _inputs).Dispose();

        Assert.Equal(Enumerable.Range(0, Blocks), order);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void NoTensorIsLeft(int block)
    {
        Tensor? shown = null;
        _transformer.Show(block, stream => shown = stream);
        LiveTensors.AssertUnchanged(() => FluxFixture.Run(_transformer, _inputs).Dispose());
        Assert.True(shown!.IsInvalid);

        using DisposeScope scope = NewDisposeScope();
        FluxFixture.Run(_transformer, _inputs).Dispose();
        Assert.Equal(0, scope.DisposablesCount);
    }

    [Fact]
    public void ALossOnWhatIsShown_TeachesTheBlocksUpToIt()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor? loss = null;
        // The loss is a tensor of the caller's, who takes it out of the scope of the pass.
        _transformer.Show(1, stream => loss = stream.square().mean().DetachFromDisposeScope());

        _transformer.forward(
            _inputs["hidden_states"], null, _inputs["encoder_hidden_states"], _inputs["pooled_projections"],
            _inputs["timestep"], _inputs["guidance"], _inputs["img_ids"], _inputs["txt_ids"]).Dispose();
        loss!.backward();
        loss!.Dispose();

        Assert.True(Learns("transformer_blocks.0."));
        Assert.True(Learns("single_transformer_blocks.0."));
        Assert.False(Learns("single_transformer_blocks.1."));
        Assert.False(Learns("proj_out."));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void ABlockThatIsNotThere_IsRefused(int block) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _transformer.Show(block, _ => { }));

    private Tensor Shown(DisposeScope scope, int block)
    {
        Tensor? shown = null;
        _transformer.Show(block, stream => shown = stream.clone().DetachFromDisposeScope());
        FluxFixture.Run(_transformer, _inputs).Dispose();
        _transformer.Show(block, null);
        scope.Attach(shown!);
        return shown!;
    }

    // The image's tokens are the last ones.
    private Tensor ImageOf(Tensor stream)
    {
        long image = _inputs["hidden_states"].shape[1];
        return stream.narrow(1, stream.shape[1] - image, image);
    }

    private bool Learns(string prefix) => _transformer.named_parameters()
        .Any(p => p.name.StartsWith(prefix, StringComparison.Ordinal) && p.parameter.grad is { } g && g.abs().sum().item<float>() > 0);

    /// <summary>The stream after each block, run one by one.</summary>
    private Tensor[] Streams()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using FluxConditioning given = _transformer.Embed(
            null, _inputs["encoder_hidden_states"], _inputs["pooled_projections"], _inputs["timestep"], _inputs["guidance"],
            _inputs["img_ids"], _inputs["txt_ids"]);
        FluxPass pass = given.Pass(0);
        AdaptableLinear embedder = (AdaptableLinear)_transformer.named_children().Single(c => c.name == "x_embedder").module;
        List<Tensor> streams = [];
        (Tensor image, Tensor text) = (embedder.forward(_inputs["hidden_states"]), given.Text);
        foreach (DoubleStreamBlock block in _transformer.Doubles)
        {
            (image, text) = pass.Run(block, image, text);
            streams.Add(image);
        }
        Tensor joined = cat([text, image], dim: 1);
        foreach (SingleStreamBlock block in _transformer.Singles)
        {
            joined = pass.Run(block, joined, text.shape[1]);
            streams.Add(joined);
        }
        return [.. streams.Select(s => s.MoveToOuterDisposeScope())];
    }
}
