using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using static TorchSharp.torch;

namespace Dsd.Tools.Train;

/// <summary>Draws pictures with a trained adapter, one row: the reference, then one for each prompt.</summary>
internal static class TrainSamples
{
    private const int Gap = 4;

    public static Picture Draw(DiffusionModel model, LoraAdapter adapter, TrainRequest request, Picture reference, CancellationToken cancel)
    {
        using IDisposable noGrad = no_grad();
        using LoraAttachment attached = adapter.Attach(model.Network);
        // The model is the caller's, and the pipeline would dispose it with itself.
        DsdPipeline pipeline = new(model);
        DsdOptions options = request.Model.Frame with { Width = request.Training.Width, Height = request.Training.Height };
        List<Picture> pictures = [reference.CropToFit(options.Width, options.Height)];
        foreach (string prompt in request.Samples)
        {
            pictures.Add(pipeline.Generate([new DsdRequest(reference, prompt, request.Training.Seed)], options, null, cancel)[0]);
        }
        return ContactSheet.Arrange(pictures, pictures.Count, Gap);
    }
}
