using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Acceleration;

public class FusedRmsNormTests
{
    [Fact]
    public void Apply_GivesWhatThePartsGive_ForwardAndBackward()
    {
        using DisposeScope scope = NewDisposeScope();
        using RmsNorm parts = new(8, null, ScalarType.Float32);
        TorchSharp.Modules.Parameter weight = parts.parameters().Single();
        using (no_grad())
        {
            weight.copy_(linspace(0.5, 2, 8));
        }
        Tensor x = randn(2, 3, 4, 8, generator: new Generator(1, CPU)).requires_grad_();
        Tensor side = randn(2, 3, 4, 8, generator: new Generator(2, CPU));
        Tensor fused = FusedRmsNorm.Apply(x, weight, 1e-6);
        Tensor[] fusedGradients = [.. autograd.grad([(fused * side).sum()], [x, weight])];
        Tensor apart = parts.forward(x);
        Tensor[] gradients = [.. autograd.grad([(apart * side).sum()], [x, weight])];
        TensorAssert.Close(apart, fused, 1e-6);
        TensorAssert.Close(gradients[0], fusedGradients[0], 1e-5);
        TensorAssert.Close(gradients[1], fusedGradients[1], 1e-5);
        TensorAssert.Close(apart / weight, FusedRmsNorm.Apply(x, 1e-6), 1e-5);
    }

    [Fact]
    public void Brief_DiffersFromThePartsByRoundingAlone_ForwardAndBackward()
    {
        using DisposeScope scope = NewDisposeScope();
        using RmsNorm parts = new(32, null, ScalarType.BFloat16);
        TorchSharp.Modules.Parameter weight = parts.parameters().Single();
        using (no_grad())
        {
            weight.copy_(linspace(0.5, 2, 32));
        }
        Tensor x = randn(4, 6, 32, generator: new Generator(1, CPU)).to(ScalarType.BFloat16).requires_grad_();
        Tensor side = randn(4, 6, 32, generator: new Generator(2, CPU)).to(ScalarType.BFloat16);
        Tensor brief = parts.Brief(x);
        Tensor[] briefGradients = [.. autograd.grad([(brief * side).sum()], [x, weight])];
        Tensor apart = parts.forward(x);
        Tensor[] gradients = [.. autograd.grad([(apart * side).sum()], [x, weight])];
        Assert.Equal(ScalarType.BFloat16, brief.dtype);
        TensorAssert.Close(apart, brief, 0.012);
        TensorAssert.Close(gradients[0], briefGradients[0], 0.012);
        TensorAssert.Close(gradients[1], briefGradients[1], 0.012);
    }

    [Fact]
    public void Apply_RoundsToTheInputsType()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = randn(4, 8, dtype: ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, FusedRmsNorm.Apply(x, ones(8, dtype: ScalarType.BFloat16), 1e-6).dtype);
    }

    [Fact]
    public void Apply_LeavesNothingBehind()
    {
        using Tensor x = randn(4, 8);
        using Tensor weight = ones(8);
        FusedRmsNorm.Apply(x, weight, 1e-6).Dispose();
        using DisposeScope scope = NewDisposeScope();
        FusedRmsNorm.Apply(x, weight, 1e-6);
        Assert.Equal(1, scope.DisposablesCount);
    }
}
