using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Sampling;
using static TorchSharp.torch;

namespace Dsd.Tools.Train;

/// <summary>Draws the prompts of a run with what lies over its network, one row: the reference, then one picture for each prompt.</summary>
/// <param name="model">The model, which stays the caller's.</param>
/// <param name="request">Prompts, sizes and seed.</param>
/// <param name="reference">The reference.</param>
/// <param name="folder">Where the sheets go.</param>
internal sealed class TrainSamples(DiffusionModel model, TrainRequest request, Picture reference, TrainFolder folder)
{
    private const int Gap = 4;

    /// <summary>Draws the sheet of a step, unless an earlier process of the run did.</summary>
    public void Draw(long step, CancellationToken cancel)
    {
        if (!File.Exists(folder.Sheet(step)))
        {
            DrawAnew(step, cancel);
        }
    }

    /// <summary>Draws the sheet of a step, also over one that is there.</summary>
    public void DrawAnew(long step, CancellationToken cancel)
    {
        using IDisposable noGrad = no_grad();
        // The pipeline would dispose the model with itself.
        DsdPipeline pipeline = new(model);
        DsdOptions options = request.Model.Frame with { Width = request.Training.Width, Height = request.Training.Height };
        List<Picture> pictures = [reference.CropToFit(options.Width, options.Height)];
        foreach (string prompt in request.Samples)
        {
            pictures.Add(pipeline.Generate([new DsdRequest(reference, prompt, request.Training.Seed)], options, null, cancel)[0]);
        }
        ContactSheet.Arrange(pictures, pictures.Count, Gap).Save(folder.Sheet(step));
    }
}
