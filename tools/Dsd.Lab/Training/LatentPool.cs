using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Captioned pictures of every shape as packed latents on the device, drawn and encoded anew every so many steps.</summary>
internal sealed class LatentPool : IDisposable
{
    private const int EncodeBatch = 128;

    // Which shape each step takes: single pictures, pairs or quads. Pairs are what the method needs; quads cost twice as much.
    private static readonly int[] ShapeOfStep = [0, 1, 1, 0, 1, 1, 2, 1];

    private readonly AutoencoderKL _vae;
    private readonly TeacherStageConfig _stage;
    private readonly Device _device;
    private readonly PanelFeatures? _features;
    private readonly Ahead<IReadOnlyList<Shape>> _ready;
    private IReadOnlyList<Shape> _shapes = [];
    private long _round = -1;

    public LatentPool(
        AutoencoderKL vae, TinyTrainingConfig config, WorldPictures world, TinyTokens tokens, Device device, long firstStep, long endStep,
        PanelFeatures? features = null)
    {
        (_vae, _stage, _device, _features) = (vae, config.Teacher, device, features);
        _ready = new(
            firstStep / _stage.PoolSteps,
            depth: 1,
            round => Encode(world.CaptionedPool(round, _stage.Pool, tokens)),
            end: (endStep - 1) / _stage.PoolSteps + 1);
    }

    /// <summary>A batch of one shape; which examples is decided by the step alone.</summary>
    public Batch Sample(long step, int count)
    {
        if (step / _stage.PoolSteps != _round)
        {
            _round = step / _stage.PoolSteps;
            Free(_shapes);
            _shapes = _ready.Take();
        }
        Shape shape = _shapes[ShapeOfStep[step % ShapeOfStep.Length]];
        Random random = new(unchecked((int)(step * 31 + 17)));
        long[] chosen = [.. Enumerable.Range(0, count).Select(_ => (long)random.Next((int)shape.Latents.shape[0]))];
        Tensor rows = tensor(chosen, device: _device);
        return new Batch(
            shape.Latents.index_select(0, rows),
            shape.T5Ids.index_select(0, rows),
            shape.ClipIds.index_select(0, rows),
            shape.PositionIds,
            shape.Features?.index_select(0, rows));
    }

    public void Dispose()
    {
        Free(_shapes);
        // What is being made would otherwise go on with an autoencoder that is gone.
        foreach (IReadOnlyList<Shape> shapes in _ready.Rest())
        {
            Free(shapes);
        }
    }

    private static void Free(IReadOnlyList<Shape> shapes)
    {
        foreach (Shape shape in shapes)
        {
            shape.Latents.Dispose();
            shape.T5Ids.Dispose();
            shape.ClipIds.Dispose();
            shape.PositionIds.Dispose();
            shape.Features?.Dispose();
        }
    }

    /// <summary>Runs on a thread of its own beside the training.</summary>
    private List<Shape> Encode(IReadOnlyList<CaptionedPictures> drawn)
    {
        using IDisposable noGrad = no_grad();
        List<Shape> shapes = [];
        foreach (CaptionedPictures pictures in drawn)
        {
            using DisposeScope scope = NewDisposeScope();
            (List<Tensor> latents, List<Tensor> features) = ([], []);
            foreach (PictureBatch part in pictures.Pictures.Parts(EncodeBatch))
            {
                using DisposeScope inner = NewDisposeScope();
                Tensor images = part.ToTensor(_device);
                latents.Add(LatentPacking.Pack(_vae.Scale(_vae.Encode(images).Mean)).MoveToOuterDisposeScope());
                if (_features is not null)
                {
                    features.Add(_features.Of(images).MoveToOuterDisposeScope());
                }
            }
            int factor = _vae.Config.Factor;
            shapes.Add(new Shape(
                cat(latents, 0).DetachFromDisposeScope(), // [pictures, tokens, 4 · latent channels]
                tensor(pictures.T5Ids, [pictures.Count, pictures.T5Ids.Length / pictures.Count], device: _device).DetachFromDisposeScope(),
                tensor(pictures.ClipIds, [pictures.Count, pictures.ClipIds.Length / pictures.Count], device: _device).DetachFromDisposeScope(),
                LatentPacking.ImageIds(pictures.Height / factor, pictures.Width / factor, _device).DetachFromDisposeScope(),
                _features is null ? null : cat(features, 0).DetachFromDisposeScope())); // [pictures, tokens, channels]
        }
        return shapes;
    }

    /// <summary>
    /// Examples of one shape: latents [batch, tokens, channels], token ids [batch, tokens], positions [tokens, 3], and features if any are made.
    /// </summary>
    internal sealed record Batch(Tensor Latents, Tensor T5Ids, Tensor ClipIds, Tensor PositionIds, Tensor? Features);

    private sealed record Shape(Tensor Latents, Tensor T5Ids, Tensor ClipIds, Tensor PositionIds, Tensor? Features);
}
