using System.Globalization;
using System.Numerics.Tensors;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Pictures;
using Dsd.Imaging;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Xunit.Abstractions;

namespace Dsd.Evaluation.Tests.Encoders;

/// <summary>
/// The exported encoders against reference outputs of transformers, torchvision and Pillow, with the bounds that stand beside them. Set
/// <c>DSD_EVAL_FIXTURES</c> to compare with another folder of that layout.
/// </summary>
[Trait("Category", "Parity")]
public sealed class ParityTests(ExportedEncoders encoders, ITestOutputHelper output) : IClassFixture<ExportedEncoders>
{
    private const double ShareOfBytes = 0.01;
    private const double NumbersBound = 1e-5;
    private const double PixelsBound = 1e-4;
    private const double PictureBound = 2e-3;
    private const double CosineBound = 1e-3;

    public static TheoryData<string> Models => ["clip", "dino", "dinov2", "csd"];

    [Theory]
    [MemberData(nameof(Models))]
    public void APictureIsScaledAndCut_AsByTheReference(string model)
    {
        using SafetensorsFile reference = EvalFixtures.Outputs();
        PicturePreprocessing preprocessing = encoders[model].Folder.Preprocessing;
        int compared = 0;
        foreach (string picture in EvalFixtures.Pictures.Where(p => reference.Entries.ContainsKey($"{model}.{p}.resized")))
        {
            TensorEntry entry = reference.Entry($"{model}.{picture}.resized");
            (int rows, int area) = Rows(entry, preprocessing);
            byte[] expected = reference.Bytes(entry.Name).ToArray();
            ReadOnlySpan<byte> ours = preprocessing.Resized(Load(picture)).Pixels;
            int most = 0;
            int different = 0;
            for (int i = 0; i < expected.Length; i++)
            {
                int difference = Math.Abs(expected[i] - ours[i % area * 3 + i / area]);
                most = Math.Max(most, difference);
                different += difference > 0 ? 1 : 0;
            }
            Say($"{model} {picture}: bytes of {rows} rows differ by at most {most}, in {(double)different / expected.Length:P3} of the places");
            Assert.InRange(most, 0, 1);
            Assert.InRange((double)different / expected.Length, 0, ShareOfBytes);
            compared++;
        }
        foreach (string picture in EvalFixtures.Pictures.Where(p => reference.Entries.ContainsKey($"{model}.{p}.pixel_values")))
        {
            TensorEntry entry = reference.Entry($"{model}.{picture}.pixel_values");
            (int rows, int area) = Rows(entry, preprocessing);
            float[] numbers = preprocessing.Numbers(Load(picture));
            int whole = preprocessing.Height * preprocessing.Width;
            double error = Error(reference.Floats(entry.Name), [.. Enumerable.Range(0, 3).SelectMany(c => numbers.AsSpan(c * whole, area).ToArray())]);
            Say($"{model} {picture}: numbers of {rows} rows differ by at most {error:E1}");
            Assert.InRange(error, 0, NumbersBound);
            compared++;
        }
        Assert.True(compared > 0, $"No pixels of {model} to compare with.");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void AnEmbeddingFromTheReferencesPixels_IsTheReferences(string model)
    {
        using SafetensorsFile reference = EvalFixtures.Outputs();
        PictureEncoder encoder = encoders[model];
        PicturePreprocessing preprocessing = encoder.Folder.Preprocessing;
        int area = preprocessing.Height * preprocessing.Width;
        double worst = 0;
        int compared = 0;
        foreach (string picture in EvalFixtures.Pictures)
        {
            // A thinned set holds the first rows alone, which is too little for a network.
            float[] pixels;
            if (IsWhole($"{model}.{picture}.pixel_values"))
            {
                pixels = reference.Floats($"{model}.{picture}.pixel_values");
            }
            else if (IsWhole($"{model}.{picture}.resized"))
            {
                byte[] bytes = reference.Bytes($"{model}.{picture}.resized").ToArray();
                pixels = [.. bytes.Select((b, i) => (b / 255f - preprocessing.Mean[i / area]) / preprocessing.Deviation[i / area])];
            }
            else
            {
                continue;
            }
            float[] expected = reference.Floats($"{model}.{picture}.embedding");
            double error = Error(expected, encoder.EncodeNumbers(pixels, 1)[0]) / Scale(expected);
            worst = Math.Max(worst, error);
            compared++;
        }
        Say($"{model}: embeddings from the reference's pixels differ by at most {worst:E1} ({compared} pictures)");
        Assert.True(compared > 0 || EvalFixtures.IsOwn, $"No pixels of {model} to start from.");
        Assert.InRange(worst, 0, PixelsBound);

        bool IsWhole(string name) => reference.Entries.TryGetValue(name, out TensorEntry? entry) && entry.ElementCount == 3 * area;
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void AnEmbeddingFromThePicturesFile_IsTheReferences_AndSoAreTheCosines(string model)
    {
        using SafetensorsFile reference = EvalFixtures.Outputs();
        PictureEncoder encoder = encoders[model];
        float[][] ours = encoder.Encode([.. EvalFixtures.Pictures.Select(Load)], batch: 3);

        double worst = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            float[] expected = reference.Floats($"{model}.{EvalFixtures.Pictures[i]}.embedding");
            Assert.Equal(expected.Length, encoder.Folder.Width);
            worst = Math.Max(worst, Error(expected, ours[i]) / Scale(expected));
        }
        float[] cosines = [.. ours.SelectMany(a => ours.Select(b => TensorPrimitives.CosineSimilarity<float>(a, b)))];
        double cosine = Error(reference.Floats($"{model}.cosine"), cosines);
        Say($"{model}: embeddings from the files differ by at most {worst:E1}, cosines by at most {cosine:E1}");
        Assert.InRange(worst, 0, PictureBound);
        Assert.InRange(cosine, 0, CosineBound);
    }

    [Fact]
    public void ATextsIds_AreTheReferences()
    {
        using SafetensorsFile reference = EvalFixtures.Outputs();
        ClipTokenizer tokenizer = ClipTokenizer.Load(encoders["clip"].Folder.Tokenizer!);
        for (int i = 0; i < EvalFixtures.Texts.Length; i++)
        {
            ReadOnlySpan<long> expected = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(reference.Bytes($"clip.text{i}.input_ids"));
            Assert.Equal(expected.ToArray(), tokenizer.Encode(EvalFixtures.Texts[i], expected.Length));
        }
    }

    [Fact]
    public void ATextsEmbedding_IsTheReferences_AndSoIsClipT()
    {
        using SafetensorsFile reference = EvalFixtures.Outputs();
        float[][] texts = encoders["clip"].EncodeTexts(EvalFixtures.Texts, batch: 3);
        float[][] pictures = encoders["clip"].Encode([.. EvalFixtures.Pictures.Select(Load)]);

        double worst = 0;
        for (int i = 0; i < texts.Length; i++)
        {
            float[] expected = reference.Floats($"clip.text{i}.embedding");
            worst = Math.Max(worst, Error(expected, texts[i]) / Scale(expected));
        }
        float[] scores = [.. texts.SelectMany(t => pictures.Select(p => 100 * TensorPrimitives.CosineSimilarity<float>(t, p)))];
        double clipT = Error(reference.Floats("clip.clip_t"), scores) / 100;
        Say($"clip: embeddings of texts differ by at most {worst:E1}, cosines of texts and pictures by at most {clipT:E1}");
        Assert.InRange(worst, 0, PixelsBound);
        Assert.InRange(clipT, 0, CosineBound);
    }

    [Fact]
    public void CsdsTorchFile_GivesTheSameNetworkAsItsSafetensors()
    {
        string csd = EvalFixtures.Path("csd");
        string[] files = [.. Directory.EnumerateFiles(csd).Where(f => Path.GetExtension(f) is ".pth" or ".safetensors")];
        using Dsd.Testing.TemporaryFolder folder = new();
        foreach (string file in files)
        {
            string target = folder.File(Path.GetExtension(file)[1..]);
            EncoderExporter.Export(file, target, ExportedEncoders.Options("csd"));
            Assert.Equal(
                encoders["csd"].Folder.Hashes["image_encoder/model.onnx"], EncoderFolder.Open(target).Hashes["image_encoder/model.onnx"]);
        }
        Assert.Contains(files, f => Path.GetExtension(f) == ".pth");
    }

    /// <summary>How many rows of a picture the reference holds, from the first on, and how many numbers of a colour these are.</summary>
    private static (int Rows, int Area) Rows(TensorEntry entry, PicturePreprocessing preprocessing)
    {
        Assert.Equal([1, 3, preprocessing.Width], [entry.Shape[0], entry.Shape[1], entry.Shape[3]]);
        Assert.InRange(entry.Shape[2], 1, preprocessing.Height);
        return ((int)entry.Shape[2], (int)entry.Shape[2] * preprocessing.Width);
    }

    private void Say(FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static Picture Load(string picture) => Picture.Load(EvalFixtures.Path("images", picture), Transparency.Dropped);

    private static double Scale(float[] expected) => Math.Max(1, TensorPrimitives.MaxMagnitude(expected.Select(Math.Abs).ToArray()));

    private static double Error(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        return expected.Zip(found).Max(p => Math.Abs((double)p.First - p.Second));
    }
}
