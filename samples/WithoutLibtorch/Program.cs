using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Tiny;

// Once, where the model is made: in another program if you like.
if (!Directory.Exists("student"))
{
    OnnxExporter.Export(TinyModel.Folder, new LoraUse(TinyModel.AdapterFile), "student");
}

using OnnxPipeline pipeline = OnnxPipeline.Open("student");
Picture reference = Picture.Load("../Chain/reference.png");
string[] places = ["on the beach by day", "in the snow at night", "in the city at sunset"];
DsdRequest[] requests = [.. places.Select((place, seed) => new DsdRequest(reference, $"this creature waving {place}, seen from near", seed))];
IReadOnlyList<Picture> drawn = pipeline.Generate(requests, TinyModel.Sampling);
for (int i = 0; i < drawn.Count; i++)
{
    drawn[i].Save($"drawn-{i}.png");
}
