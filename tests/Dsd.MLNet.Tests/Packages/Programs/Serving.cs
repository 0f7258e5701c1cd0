#pragma warning disable MEAI001
using Dsd.Extensions.AI;
using Dsd.Models.Lora;
using Dsd.Onnx.Export;
using Dsd.Tiny;
using Microsoft.Extensions.AI;

OnnxExporter.Export(TinyModel.Folder, new LoraUse(TinyModel.AdapterFile), "student");
using DsdImageGenerator generator = DsdImageGenerator.Open(new OnnxImageModel("student"));
ImageGenerationResponse drawn = await generator.EditImageAsync(
    new DataContent(File.ReadAllBytes(args[0]), "image/png"),
    "this creature on the beach",
    new ImageGenerationOptions().With(DsdImageProperties.Steps, 2));
Console.WriteLine(((DataContent)drawn.Contents[0]).MediaType);
