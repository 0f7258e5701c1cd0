using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Models.Imaging;
using Dsd.Models.Weights;
using Microsoft.Extensions.AI;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Judge;

/// <summary>
/// A judge of the small world that runs locally and speaks as a chat model: it reads the two images of the last user message that has any,
/// and answers with the verdict's JSON. So the embedded judge and a large vision-language model are used by the same code.
/// </summary>
/// <remarks>
/// It reads the images of a question and nothing else: neither text nor options change the answer. Thread-safe; one pair is judged at a time.
/// </remarks>
public sealed class TinyJudge : IChatClient
{
    // Largest channel range (of 255) of a picture without content, and mean difference of two pictures that are practically one.
    private const int BlankRange = 10;
    private const double CopyDifference = 3;
    private const int PairsAtOnce = 128;

    private static readonly ChatClientMetadata Metadata = new("dsd", defaultModelId: "dsd-tiny-judge");

    private readonly JudgeNetwork _network;
    private readonly Device _device;
    private readonly ReadingText _text;
    private readonly Lock _lock = new();
    private bool _disposed;

    /// <summary>A judge over a network, which it takes over and disposes.</summary>
    /// <param name="network">The trained network.</param>
    /// <param name="device">Where the network's weights lie; null for the CPU.</param>
    public TinyJudge(JudgeNetwork network, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        _network = network;
        _network.eval();
        _device = device ?? CPU;
        _text = new ReadingText(network.Config.Attributes);
    }

    /// <summary>Loads a judge from a folder with <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where to run; null for the CPU.</param>
    /// <exception cref="WeightsException">The config is wrong, or the weights do not fit it; the message names file and tensors.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static TinyJudge Load(string folder, Device? device = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using DisposeScope scope = NewDisposeScope();
        JudgeNetwork network = new(JudgeConfig.Load(Path.Combine(folder, "config.json")), device);
        try
        {
            using WeightSource weights = WeightSource.Open(Path.Combine(folder, "model.safetensors"));
            WeightLoader.Load(network, weights);
            return new TinyJudge(network, device);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The least probability that two pictures show one subject at which the judge says so: its default, from the config.</summary>
    public double SameThreshold => _network.Config.SameThreshold;

    /// <summary>The probability that both pictures show one subject, as far as the network can tell.</summary>
    internal double Agreement(Picture a, Picture b)
    {
        int size = _network.Config.ImageSize;
        SubjectReading[] read = Read([a.CropToFit(size, size), b.CropToFit(size, size)]);
        return read[0].Agreement(read[1]);
    }

    /// <summary>Compares two pictures directly, without a chat around it.</summary>
    public Verdict Compare(Picture a, Picture b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return CompareMany([(a, b)])[0];
    }

    /// <summary>Compares many pairs, in batches: the verdicts in the order of the pairs.</summary>
    public IReadOnlyList<Verdict> CompareMany(IReadOnlyList<(Picture A, Picture B)> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        int size = _network.Config.ImageSize;
        List<Verdict> verdicts = [];
        foreach ((Picture A, Picture B)[] part in pairs.Chunk(PairsAtOnce))
        {
            Picture[] pictures = [.. part.SelectMany(pair => new[] { pair.A.CropToFit(size, size), pair.B.CropToFit(size, size) })];
            SubjectReading[] read = Read(pictures);
            verdicts.AddRange(Enumerable.Range(0, part.Length).AsParallel().AsOrdered()
                .Select(i => Decide(pictures[2 * i], pictures[2 * i + 1], read[2 * i], read[2 * i + 1])));
        }
        return verdicts;
    }

    private Verdict Decide(Picture a, Picture b, SubjectReading ra, SubjectReading rb)
    {
        List<string> flags = [];
        bool blank = IsBlank(a) || IsBlank(b);
        if (blank)
        {
            flags.Add("blank");
        }
        if (IsNearCopy(a, b))
        {
            flags.Add("near_copy");
        }
        double agreement = ra.Agreement(rb);
        double threshold = _network.Config.SameThreshold;
        bool same = !blank && agreement >= threshold;
        IReadOnlyList<string> differences = _text.Differences(ra, rb);
        return new Verdict
        {
            Subject = blank ? "none" : "a little creature",
            DescriptionA = _text.Describe(ra),
            DescriptionB = _text.Describe(rb),
            Differences = blank ? ["an image shows nothing"] : same || differences.Count > 0 ? differences : [_text.Doubt(ra, rb)],
            Same = same,
            Confidence = blank ? 1 : Confidence(agreement, threshold, same),
            Flags = flags,
        };
    }

    /// <summary>
    /// How sure a verdict is: the odds of the agreement against those of the threshold, as a probability. 0.5 where it could be either, and 1 where the
    /// agreement is certain or impossible, whatever the threshold: so that a confidence that is asked for can be reached.
    /// </summary>
    internal static double Confidence(double agreement, double threshold, bool same)
    {
        double one = agreement * (1 - threshold);
        double two = threshold * (1 - agreement);
        return (same ? one : two) / (one + two);
    }

    /// <summary>Answers with a verdict on the two images of the last user message that has images.</summary>
    /// <exception cref="ArgumentException">No user message has images, or the last one that has does not have exactly two.</exception>
    /// <exception cref="PictureException">An image is none.</exception>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        DataContent[] images = [.. messages.Where(m => m.Role == ChatRole.User).Select(Images).LastOrDefault(found => found.Any()) ?? []];
        if (images.Length != 2)
        {
            throw new ArgumentException($"The judge compares two images, but the last user message with images has {images.Length}.", nameof(messages));
        }
        Verdict verdict = Compare(Picture.Decode(images[0].Data.Span, "image A"), Picture.Decode(images[1].Data.Span, "image B"));
        return Task.FromResult(LocalChat.Answer(Metadata, verdict.ToJson()));
    }

    /// <summary>Answers as <see cref="GetResponseAsync"/> does, in one piece.</summary>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        LocalChat.Stream(GetResponseAsync(messages, options, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => LocalChat.Service(this, Metadata, serviceType, serviceKey);

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

    private static IEnumerable<DataContent> Images(ChatMessage message) =>
        message.Contents.OfType<DataContent>().Where(content => content.HasTopLevelMediaType("image"));

    /// <summary>The parts of the subject as the network reads them, each with how it differs in the two pictures; no part where a picture is blank.</summary>
    internal IReadOnlyList<(string Name, string? Difference)> Parts(Picture a, Picture b)
    {
        int size = _network.Config.ImageSize;
        Picture[] pictures = [a.CropToFit(size, size), b.CropToFit(size, size)];
        if (pictures.Any(IsBlank))
        {
            return [];
        }
        SubjectReading[] read = Read(pictures);
        return _text.Parts(read[0], read[1]);
    }

    private SubjectReading[] Read(Picture[] pictures)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            Tensor images = PictureTensors.FromPictures(pictures, _device);
            float[] logits = _network.forward(images).cpu().data<float>().ToArray();
            return [.. logits.Chunk(logits.Length / pictures.Length).Select(own => SubjectReading.FromLogits(own, _network.Config))];
        }
    }

    private static bool IsBlank(Picture picture)
    {
        ReadOnlySpan<byte> pixels = picture.Pixels;
        Span<int> least = [255, 255, 255];
        Span<int> most = [0, 0, 0];
        for (int i = 0; i < pixels.Length; i++)
        {
            least[i % 3] = Math.Min(least[i % 3], pixels[i]);
            most[i % 3] = Math.Max(most[i % 3], pixels[i]);
        }
        return Math.Max(most[0] - least[0], Math.Max(most[1] - least[1], most[2] - least[2])) <= BlankRange;
    }

    /// <summary>Whether two pictures of any size are practically one.</summary>
    internal static bool AreNearCopies(Picture a, Picture b) => IsNearCopy(a, b.CropToFit(a.Width, a.Height));

    private static bool IsNearCopy(Picture a, Picture b) => MeanDifference(a, b) < CopyDifference;

    private static double MeanDifference(Picture a, Picture b)
    {
        long sum = 0;
        for (int i = 0; i < a.Pixels.Length; i++)
        {
            sum += Math.Abs(a.Pixels[i] - b.Pixels[i]);
        }
        return (double)sum / a.Pixels.Length;
    }
}
