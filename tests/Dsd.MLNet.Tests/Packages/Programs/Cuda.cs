using Dsd.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

Console.WriteLine($"options: {new OnnxRuntimeOptions { Provider = OnnxProvider.Cuda }.Provider}");
Console.WriteLine($"providers: {string.Join(' ', OrtEnv.Instance().GetAvailableProviders())}");
