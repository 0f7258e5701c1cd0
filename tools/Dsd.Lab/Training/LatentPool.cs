using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Captioned pictures of every shape as packed latents on the device, drawn and encoded anew every so many steps.</summary>
internal sealed class LatentPool : IDisposable
{
    private const int EncodeBatch = 128;

    // Which shape each step takes: single pictures, pairs or quads. Pairs are what the method needs; quads cost twice as much.
    private static readonly int[] ShapeOfStep = [0, 1, 1, 1, 1, 1, 2, 1];

    private readonly AutoencoderKL _vae;
    private readonly TeacherStageConfig _stage;
    private readonly Device _device;
    private readonly PanelFeatures? _features;
    private readonly int _panelSize;
    private readonly Ahead<IReadOnlyList<Shape>> _ready;
    private IReadOnlyList<Shape> _shapes = [];
    private long _round = -1;

    public LatentPool(
        AutoencoderKL vae, TinyTrainingConfig config, WorldPictures world, TinyTokens tokens, Device device, long firstStep, long endStep,
        PanelFeatures? features = null)
    {
        (_vae, _stage, _device, _features, _panelSize) = (vae, config.Teacher, device, features, config.PanelSize);
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
            shape.Features?.index_select(0, rows),
            [.. chosen.Select(row => row < shape.InContext)],
            shape.Panels,
            shape.PanelOfToken,
            shape.Alone?.index_select(0, rows),
            shape.Detail?.index_select(0, rows),
            shape.Subjects.index_select(0, rows));
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
            shape.PanelOfToken.Dispose();
            shape.Alone?.Dispose();
            shape.Detail?.Dispose();
            shape.Subjects.Dispose();
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
            (List<Tensor> latents, List<Tensor> alone, List<Tensor> features) = ([], [], []);
            int encoded = 0;
            foreach (PictureBatch part in pictures.Pictures.Parts(EncodeBatch))
            {
                using DisposeScope inner = NewDisposeScope();
                Tensor images = part.ToTensor(_device);
                Tensor whole = LatentPacking.Pack(_vae.Scale(_vae.Encode(images).Mean));
                latents.Add(whole.MoveToOuterDisposeScope());
                if (pictures.InContext > 0)
                {
                    int count = Math.Clamp(pictures.InContext - encoded, 0, part.Count);
                    alone.Add(cat([.. EncodedAlone(images, count), whole.narrow(0, count, part.Count - count)], 0).MoveToOuterDisposeScope());
                }
                encoded += part.Count;
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
                _features is null ? null : cat(features, 0).DetachFromDisposeScope(), // [pictures, tokens, channels]
                pictures.InContext,
                pictures.Width / _panelSize * (pictures.Height / _panelSize),
                PanelOfToken(pictures).DetachFromDisposeScope(),
                pictures.InContext > 0 ? cat(alone, 0).DetachFromDisposeScope() : null,
                pictures.Detail is { } detail
                    ? tensor(detail, [pictures.Count, detail.Length / pictures.Count], device: _device).DetachFromDisposeScope()
                    : null,
                tensor(pictures.Subjects, device: _device).reshape(pictures.Count, -1, Subject.Kinds.Count).DetachFromDisposeScope()));
        }
        return shapes;
    }

    /// <summary>Packed latents of the first so many grids [count, tokens, channels], each of whose panels is encoded by itself; nothing of none.</summary>
    private IEnumerable<Tensor> EncodedAlone(Tensor images, int count)
    {
        if (count == 0)
        {
            yield break;
        }
        Tensor grids = images.narrow(0, 0, count);
        Tensor[] rows = [.. grids.split(_panelSize, 2).Select(row => cat([.. row.split(_panelSize, 3).Select(Encoded)], 3))];
        yield return LatentPacking.Pack(cat(rows, 2));

        Tensor Encoded(Tensor panels) => _vae.Scale(_vae.Encode(panels.contiguous()).Mean);
    }

    /// <summary>Which panel each token belongs to, row by row: [tokens].</summary>
    private Tensor PanelOfToken(CaptionedPictures pictures)
    {
        int side = _vae.Config.Factor * LatentPacking.Patch;
        (int columns, int perPanel) = (pictures.Width / side, _panelSize / side);
        long[] panels =
        [
            .. Enumerable.Range(0, pictures.Height / side * columns)
                .Select(i => (long)(i / columns / perPanel * (columns / perPanel) + i % columns / perPanel)),
        ];
        return tensor(panels, device: _device);
    }

    /// <summary>Examples of one shape.</summary>
    /// <param name="Latents">[batch, tokens, channels].</param>
    /// <param name="T5Ids">[batch, text tokens].</param>
    /// <param name="ClipIds">[batch, text tokens].</param>
    /// <param name="PositionIds">[tokens, 3].</param>
    /// <param name="Features">[batch, tokens, channels], if any are made.</param>
    /// <param name="InContext">For each example whether it is a grid to look across.</param>
    /// <param name="Panels">Panels of a picture.</param>
    /// <param name="PanelOfToken">The panel that each token belongs to: [tokens].</param>
    /// <param name="Alone">Latents of panels that were encoded by themselves, where examples are in-context; null where none is.</param>
    /// <param name="Detail">How much each token tells of its panel's subject, 1 on average [batch, tokens], if that is asked for.</param>
    /// <param name="Subjects">The values of the panels' subjects [batch, panels, attributes].</param>
    internal sealed record Batch(
        Tensor Latents, Tensor T5Ids, Tensor ClipIds, Tensor PositionIds, Tensor? Features, IReadOnlyList<bool> InContext, int Panels, Tensor PanelOfToken,
        Tensor? Alone, Tensor? Detail, Tensor Subjects);

    // The first so many pictures are in-context.
    private sealed record Shape(
        Tensor Latents, Tensor T5Ids, Tensor ClipIds, Tensor PositionIds, Tensor? Features, int InContext, int Panels, Tensor PanelOfToken, Tensor? Alone,
        Tensor? Detail, Tensor Subjects);
}
