using Dsd.Curation.Grids;
using Dsd.MLNet;
using Dsd.Models.Sampling;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using TorchSharp;

MLContext ml = new();

IDataView captions = ml.Data.LoadFromEnumerable([new Caption { Text = "a fox" }]);
using var teacher = new GridGenerator(ml, new GridGeneratorOptions
{
    Model = args[0],
    CaptionColumn = "Text",
    Layout = GridLayout.OneByTwo,
    Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1, MaxTextTokens = 64 },
}).Fit(captions);
GridRow row = ml.Data.CreateEnumerable<GridRow>(teacher.Transform(captions), reuseRowObject: false).Single();
Console.WriteLine($"grid: {row.Grid.Width} x {row.Grid.Height}");

Console.WriteLine($"torch: {torch.arange(5).sum().ToInt64()}");

IDataView references = ml.Data.LoadFromEnumerable([new Reference { Image = row.Grid, Prompt = "on the moon" }]);
var generator = new DsdGenerator(ml, new DsdGeneratorOptions
{
    Model = args[0],
    ReleaseFolder = args[1],
    ReferenceColumn = "Image",
    Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1, MaxTextTokens = 64 },
}).Fit(references);
ml.Model.Save(generator, references.Schema, "generator.zip");
generator.Dispose();
var loaded = ml.Model.Load("generator.zip", out _);
Drawn drawn = ml.Data.CreateEnumerable<Drawn>(loaded.Transform(references), reuseRowObject: false).Single();
Console.WriteLine($"generated: {drawn.Generated.Width} x {drawn.Generated.Height}");
((IDisposable)loaded).Dispose();

public class Caption { public string Text { get; set; } }
public class GridRow { [ImageType(32, 64)] public MLImage Grid { get; set; } }
public class Reference { [ImageType(32, 64)] public MLImage Image { get; set; } public string Prompt { get; set; } }
public class Drawn { [ImageType(32, 32)] public MLImage Generated { get; set; } }
