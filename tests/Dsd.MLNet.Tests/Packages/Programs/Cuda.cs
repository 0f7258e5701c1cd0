using Dsd.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

Console.WriteLine($"options: {new OnnxRuntimeOptions { Providers = [OnnxProvider.Cuda] }.Providers[0]}");
Console.WriteLine($"providers: {string.Join(' ', OrtEnv.Instance().GetAvailableProviders())}");
