using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Training;

/// <summary>Captioned pictures of every shape as packed latents on the device, drawn anew every so many steps.</summary>
internal sealed class LatentPool : IDisposable
{
    private const int EncodeBatch = 128;
    private readonly AutoencoderKL _vae;
    private readonly TeacherStageConfig _stage;
    private readonly Device _device;
    private readonly Ahead<IReadOnlyList<CaptionedPictures>> _drawn;
    private readonly List<Shape> _shapes = [];
    private long _round = -1;

    public LatentPool(AutoencoderKL vae, TinyTrainingConfig config, WorldPictures world, TinyTokens tokens, Device device, long firstStep)
    {
        (_vae, _stage, _device) = (vae, config.Teacher, device);
        _drawn = new(firstStep / _stage.PoolSteps, depth: 1, round => world.CaptionedPool(round, _stage.Pool, tokens));
    }

    /// <summary>A batch of one shape; which examples is decided by the step alone.</summary>
    public Batch Sample(long step, int count)
    {
        if (step / _stage.PoolSteps != _round)
        {
            _round = step / _stage.PoolSteps;
            Fill(_drawn.Take());
        }
        Shape shape = _shapes[(int)(step % _shapes.Count)];
        Random random = new(unchecked((int)(step * 31 + 17)));
        long[] chosen = [.. Enumerable.Range(0, count).Select(_ => (long)random.Next((int)shape.Latents.shape[0]))];
        Tensor rows = tensor(chosen, device: _device);
        return new Batch(
            shape.Latents.index_select(0, rows),
            shape.T5Ids.index_select(0, rows),
            shape.ClipIds.index_select(0, rows),
            shape.PositionIds);
    }

    public void Dispose() => Clear();

    private void Clear()
    {
        foreach (Shape shape in _shapes)
        {
            shape.Latents.Dispose();
            shape.T5Ids.Dispose();
            shape.ClipIds.Dispose();
            shape.PositionIds.Dispose();
        }
        _shapes.Clear();
    }

    private void Fill(IReadOnlyList<CaptionedPictures> drawn)
    {
        Clear();
        using IDisposable noGrad = no_grad();
        foreach (CaptionedPictures pictures in drawn)
        {
            using DisposeScope scope = NewDisposeScope();
            List<Tensor> latents = [];
            foreach (PictureBatch part in pictures.Pictures.Parts(EncodeBatch))
            {
                using DisposeScope inner = NewDisposeScope();
                latents.Add(LatentPacking.Pack(_vae.Scale(_vae.Encode(part.ToTensor(_device)).Mean)).MoveToOuterDisposeScope());
            }
            int factor = _vae.Config.Factor;
            _shapes.Add(new Shape(
                cat(latents, 0).DetachFromDisposeScope(), // [pictures, tokens, 4 · latent channels]
                tensor(pictures.T5Ids, [pictures.Count, pictures.T5Ids.Length / pictures.Count], device: _device).DetachFromDisposeScope(),
                tensor(pictures.ClipIds, [pictures.Count, pictures.ClipIds.Length / pictures.Count], device: _device).DetachFromDisposeScope(),
                LatentPacking.ImageIds(pictures.Height / factor, pictures.Width / factor, _device).DetachFromDisposeScope()));
        }
    }

    /// <summary>Examples of one shape: latents [batch, tokens, channels], token ids [batch, tokens] and positions [tokens, 3].</summary>
    internal sealed record Batch(Tensor Latents, Tensor T5Ids, Tensor ClipIds, Tensor PositionIds);

    private sealed record Shape(Tensor Latents, Tensor T5Ids, Tensor ClipIds, Tensor PositionIds);
}
