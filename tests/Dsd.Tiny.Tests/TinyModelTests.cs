using Dsd.Imaging;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests;

/// <summary>The embedded model as it is shipped.</summary>
[Collection("Torch's random numbers")]
public class TinyModelTests
{
    private const long MostBytes = 30_000_000;

    [Fact]
    public void Files_StayWithinWhatTheRepositoryMayHold() =>
        Assert.InRange(Directory.EnumerateFiles(TinyModel.Folder, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length), 1, MostBytes);

    [Fact]
    public void Teacher_DrawsAGridOfTwoPanelsThatDiffer()
    {
        using TextToImagePipeline teacher = TextToImagePipeline.Load(TinyModel.Folder);
        TextToImageOptions options = new() { Width = 2 * TinyModel.PanelSize, Height = TinyModel.PanelSize, Steps = 4 };
        string prompt = Captions.Grid(WorldSampler.Subjects(3).First(), [new Context(), new Context() with { Light = Light.Night }], 3).Text;

        Picture grid = teacher.Generate([new TextToImageRequest(prompt, 1)], options)[0];

        Assert.False(Panel(grid, 0).Pixels.SequenceEqual(Panel(grid, 1).Pixels));
    }

    [Fact]
    public void Student_DrawsAFrameFromAReference()
    {
        using DsdPipeline student = DsdPipeline.Load(TinyModel.Folder, options: new PipelineOptions { Loras = [new LoraUse(TinyModel.AdapterFile)] });
        DsdOptions options = new() { Width = TinyModel.PanelSize, Height = TinyModel.PanelSize, Steps = 2 };
        Picture reference = Renderer.Draw(WorldSampler.Subjects(3).First(), new Context(), TinyModel.PanelSize);

        Picture frame = student.Generate([new DsdRequest(reference, "in the snow", 1)], options)[0];

        Assert.Equal((TinyModel.PanelSize, TinyModel.PanelSize), (frame.Width, frame.Height));
    }

    [Fact]
    public void Autoencoder_KeepsWhatAPictureShows()
    {
        using TextToImagePipeline teacher = TextToImagePipeline.Load(TinyModel.Folder);
        Picture picture = Renderer.Draw(WorldSampler.Subjects(3).First(), new Context(), TinyModel.PanelSize);

        Assert.InRange(Error(picture, RoundTrip((FluxModel)teacher.Model, picture)), 0, 12);
    }

    [Theory]
    [InlineData("transformer")]
    [InlineData("vae")]
    [InlineData("text_encoder")]
    [InlineData("text_encoder_2")]
    public void Weights_AreStoredInHalfTheBytes(string component)
    {
        using WeightSource weights = WeightSource.Open(Path.Combine(TinyModel.Folder, component));

        Assert.All(weights.Names, name => Assert.Equal("BF16", weights.Entry(name).DType));
    }

    private static Picture Panel(Picture grid, int column) => grid.Crop(column * TinyModel.PanelSize, 0, TinyModel.PanelSize, TinyModel.PanelSize);

    private static Picture RoundTrip(FluxModel model, Picture picture)
    {
        using IDisposable noGrad = TorchSharp.torch.no_grad();
        using TorchSharp.torch.Tensor image = Models.Imaging.PictureTensors.FromPictures([picture]);
        using TorchSharp.torch.Tensor back = model.Vae.forward(image);
        return Models.Imaging.PictureTensors.ToPictures(back)[0];
    }

    /// <summary>Mean distance of channels, of 255.</summary>
    private static double Error(Picture one, Picture other)
    {
        double sum = 0;
        for (int i = 0; i < one.Pixels.Length; i++)
        {
            sum += Math.Abs(one.Pixels[i] - other.Pixels[i]);
        }
        return sum / one.Pixels.Length;
    }
}
