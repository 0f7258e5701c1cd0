using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>What docs/onnx.md shows, compiled here.</summary>
internal static class OnnxSamples
{
    public static void Export()
    {
        OnnxExporter.Export("FLUX.1-dev", new LoraUse("my-adapter.safetensors"), "dsd-onnx", new OnnxExportOptions
        {
            ReleaseFolder = "dsd_model",
            Precision = ExportPrecision.Float16,
            Target = GraphTarget.Cuda,
        });
        using OnnxPipeline pipeline = OnnxPipeline.Open("dsd-onnx", new OnnxRuntimeOptions().On("cuda"));
        Picture picture = pipeline.Generate([new DsdRequest(Picture.Load("my-toy.jpg"), "the toy rides a train at sunset", Seed: 7)], new DsdOptions())[0];
    }

    public static void Adapters()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open("base", new OnnxRuntimeOptions().On("cuda"));
        using OnnxPipeline toy = pipeline.WithAdapters([new LoraUse("toy.safetensors"), new LoraUse("style.safetensors", 0.6f)]); // the same sessions
    }

    public static void Write(float[] numbers)
    {
        GraphBuilder graph = new("scorer", ElementType.Float16);
        Value x = graph.Input("x", "batch", "64");                                    // single precision outside, float16 inside
        using (graph.Scope("layer"))
        {
            Value weight = graph.Table("weight", numbers, 64, 10);
            x = graph.Softmax(graph.MatMul(x, weight), axis: -1);
        }
        graph.Output("scores", x, "batch", "10");
        ModelWriter.Write(graph, "scorer-folder");
    }
}
