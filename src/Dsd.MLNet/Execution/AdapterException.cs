using Dsd.Models.Weights;

namespace Dsd.MLNet.Execution;

/// <summary>An adapter that cannot be used, named by where it came from.</summary>
internal sealed class AdapterException(string source, string message, Exception inner) : WeightsException(source, message, inner);
