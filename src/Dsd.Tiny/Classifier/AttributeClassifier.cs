using Dsd.Imaging;
using Dsd.Models.Imaging;
using Dsd.Models.Weights;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Classifier;

/// <summary>Reads the attributes of subject and context off pictures: the measure of the experiments, and the eyes of the embedded evaluator.</summary>
/// <remarks>The lab trained it on rendered truth alone. No stage of the method uses it. Safe to share between threads, which take turns.</remarks>
public sealed class AttributeClassifier : IDisposable
{
    private const int Batch = 256;

    private readonly ClassifierNetwork _network;
    private readonly Device _device;
    private readonly Lock _lock = new();
    private bool _disposed;

    /// <summary>A classifier over a network, which it takes over and disposes.</summary>
    /// <param name="network">The trained network; its attributes must be the world's.</param>
    /// <param name="device">Where the network's weights lie; null for the CPU.</param>
    /// <exception cref="ArgumentException">The network reads other attributes than the world's.</exception>
    public AttributeClassifier(ClassifierNetwork network, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (!network.Config.IsOfWorld)
        {
            throw new ArgumentException(
                "The classifier's attributes must be Subject.Kinds followed by Context.Kinds, with all their values. Train it anew.", nameof(network));
        }
        _network = network;
        _network.eval();
        _device = device ?? CPU;
    }

    /// <summary>Loads a classifier from a folder with <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="folder">The folder, such as <see cref="TinyModel.ClassifierFolder"/>.</param>
    /// <param name="device">Where to run; null for the CPU.</param>
    /// <exception cref="WeightsException">
    /// The config is wrong or for another world, or the weights do not fit it; the message names file and tensors.
    /// </exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static AttributeClassifier Load(string folder, Device? device = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string file = Path.Combine(folder, "config.json");
        ClassifierConfig config = ClassifierConfig.Load(file);
        if (!config.IsOfWorld)
        {
            throw new WeightsException(file, "the attributes and values of the world's subjects and contexts", "others");
        }
        using DisposeScope scope = NewDisposeScope();
        ClassifierNetwork network = new(config, device);
        try
        {
            using WeightSource weights = WeightSource.Open(Path.Combine(folder, "model.safetensors"));
            WeightLoader.Load(network, weights);
            return new AttributeClassifier(network, device);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Reads pictures; those of another size are cut and scaled to the network's.</summary>
    /// <param name="pictures">Any number of single panels.</param>
    /// <returns>For each picture the value index of each of <see cref="Subject.Kinds"/>, followed by each of <see cref="Context.Kinds"/>.</returns>
    public int[][] Read(IReadOnlyList<Picture> pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        int size = _network.Config.ImageSize;
        int attributes = _network.Config.Attributes.Count;
        List<int[]> read = [];
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach (Picture[] part in pictures.Chunk(Batch))
            {
                using DisposeScope scope = NewDisposeScope();
                using IDisposable noGrad = no_grad();
                // A single picture is read twice: libtorch hands small batches of one to NNPACK, which writes a line for every convolution to the standard
                // error where it does not know the processor.
                Picture[] shown = part.Length == 1 ? [part[0], part[0]] : part;
                Tensor images = PictureTensors.FromPictures([.. shown.Select(picture => picture.CropToFit(size, size))], _device);
                long[] values = _network.Read(images).cpu().data<long>().ToArray();
                read.AddRange(values.Select(value => (int)value).Chunk(attributes).Take(part.Length));
            }
        }
        return [.. read];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (!_disposed)
            {
                _disposed = true;
                _network.Dispose();
            }
        }
    }
}
