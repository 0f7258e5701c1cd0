using Dsd.Models.Layers;
using Dsd.Models.Weights;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>
/// What the trained judge sees at each token of clean pictures: features for the teacher to align with (Yu et al. 2024, "Representation Alignment for
/// Generation").
/// </summary>
/// <remarks>Panels are looked at one by one, as the judge is used to. Features are centred and scaled, or all would point to much the same side.</remarks>
internal sealed class PanelFeatures : IDisposable
{
    // Pixels a side of a token: the autoencoder's factor of 8, packed 2 by 2. The judge's map has a place for every 8 pixels.
    private const int PlacesPerToken = 2;
    private const int MeasuredPictures = 128;

    private readonly JudgeNetwork _judge;
    private readonly Tensor _mean; // [channels]
    private readonly Tensor _scale; // [channels]

    /// <summary>Features of a network, which it takes over and disposes.</summary>
    public PanelFeatures(JudgeNetwork judge, TinyTrainingConfig config, Device device)
    {
        if (judge.Config.ImageSize != config.PanelSize)
        {
            judge.Dispose();
            throw new ArgumentException(
                $"The judge sees pictures of {judge.Config.ImageSize} pixels a side, but panels have {config.PanelSize}; alignment_weight must be 0, or "
                    + $"the judge trained again.", nameof(judge));
        }
        _judge = judge;
        _judge.eval();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        // Measured on the same pictures in every run, so that an interrupted run continues with the same features.
        WorldRandom random = new((ulong)config.Seed);
        WorldRandom[] randoms = [.. Enumerable.Range(0, MeasuredPictures).Select(_ => new WorldRandom(random.NextBits()))];
        PictureBatch pictures = PictureBatch.Draw(
            MeasuredPictures, i => Renderer.Draw(WorldSampler.SampleSubject(randoms[i]), WorldSampler.SampleContext(randoms[i]), config.PanelSize));
        Tensor tokens = Tokens(pictures.ToTensor(device)).flatten(0, 1); // [pictures · tokens, channels]
        _mean = tokens.mean([0L]).DetachFromDisposeScope();
        _scale = tokens.std(0).Plus(1e-3).reciprocal().DetachFromDisposeScope();
    }

    public int Channels => _judge.Config.Channels[2];

    /// <summary>The features of a model folder's judge.</summary>
    public static PanelFeatures Load(string modelFolder, TinyTrainingConfig config, Device device)
    {
        string folder = Path.Combine(modelFolder, "judge");
        if (!File.Exists(Path.Combine(folder, "config.json")))
        {
            throw new FileNotFoundException(
                $"'{folder}' holds no judge, which the teacher is aligned with. Run the stage judge first, or set alignment_weight to 0.");
        }
        JudgeNetwork judge = new(JudgeConfig.Load(Path.Combine(folder, "config.json")), device);
        using WeightSource weights = WeightSource.Open(Path.Combine(folder, "model.safetensors"));
        WeightLoader.Load(judge, weights);
        return new PanelFeatures(judge, config, device);
    }

    /// <summary>
    /// A feature for each token of pictures or grids [batch, 3, height, width] in −1…1: [batch, tokens, channels] in bfloat16, in the order of packed
    /// latents.
    /// </summary>
    public Tensor Of(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return ((Tokens(images) - _mean) * _scale).to(ScalarType.BFloat16).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _judge.Dispose();
        _mean.Dispose();
        _scale.Dispose();
    }

    private Tensor Tokens(Tensor images)
    {
        int size = _judge.Config.ImageSize;
        (long batch, long rows, long columns) = (images.shape[0], images.shape[2] / size, images.shape[3] / size);
        Tensor panels = images
            .reshape(batch, 3, rows, size, columns, size)
            .permute(0, 2, 4, 1, 3, 5)
            .reshape(batch * rows * columns, 3, size, size);
        Tensor map = nn.functional.avg_pool2d(_judge.Features(panels), PlacesPerToken); // [batch · panels, channels, side, side]
        (long channels, long side) = (map.shape[1], map.shape[2]);
        return map
            .reshape(batch, rows, columns, channels, side, side)
            .permute(0, 1, 4, 2, 5, 3)
            .reshape(batch, rows * side * columns * side, channels);
    }
}
