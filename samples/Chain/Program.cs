using Dsd.MLNet;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

MLContext ml = new(seed: 1);
IDataView captions = ml.Data.LoadFromTextFile<Subject>("captions.txt");          // a subject in words on each line
var chain = new EstimatorChain<ITransformer>()
    .Append(new GridGenerator(ml), TransformerScope.Training)                    // captions → grids
    .Append(new VlmCurator(ml), TransformerScope.Training)                       // grids → judged pairs
    .Append(new LoraFineTuner(ml), TransformerScope.Training)                    // pairs → adapter
    .Append(new DsdGenerator(ml));                                               // reference + prompt → picture
using var fitted = chain.Fit(captions);
using var engine = ml.Model.CreatePredictionEngine<Request, Drawn>(fitted.GetModelFor(TransformerScope.Scoring));
Request toy = new() { Reference = MLImage.CreateFromFile("reference.png"), Prompt = "this creature waving in the snow at night, seen from near" };
engine.Predict(toy).Generated.Save("drawn.png");

public class Subject
{
    [LoadColumn(0)]
    public string Caption { get; set; } = "";
}

public class Request
{
    [ImageType(128, 128)]
    public MLImage Reference { get; set; } = null!;
    public string Prompt { get; set; } = "";
}

public class Drawn
{
    [ImageType(128, 128)]
    public MLImage Generated { get; set; } = null!;
}
