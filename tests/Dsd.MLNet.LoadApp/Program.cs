using Dsd.MLNet.LoadApp;
using Microsoft.ML;

// Loads a saved model and prints what it gives for a sample input, a line for each row. It names no type of Dsd.MLNet and registers
// nothing, unless it is told to: ML.NET must find the classes by what the file says.
if (args[0] == "--types")
{
    KnownTypes.AfterMaking(args[1]);
    return;
}
if (args[0] == "--adapter")
{
    KnownTypes.AfterLoading(args[1]);
    return;
}
if (args[0] == "--onnx-chain")
{
    OnnxChain.Run(args[1], args[2], args[3]);
    return;
}
(string model, string input) = (args[0], args[1]);
if (args.Contains("--client"))
{
    SampleClient.Register();
}
MLContext ml = new();
ITransformer loaded = ml.Model.Load(model, out _);
IDataView rows = loaded.Transform(SampleInput.Of(ml, input));
if (args[^2] == "--pictures")
{
    PictureFiles.Write(rows, args[^1]);
}
foreach (string row in RowText.Of(rows))
{
    Console.WriteLine(row);
}
(loaded as IDisposable)?.Dispose();
