using TorchSharp.Modules;

namespace Dsd.Models.Layers;

/// <summary>A whole layer's weights [outputs, inputs] and bias [outputs].</summary>
internal sealed record WholeLinear(Parameter Weight, Parameter Bias);
