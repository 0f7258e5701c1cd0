using System.Globalization;
using System.Text.RegularExpressions;
using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public class AlignmentTests(BegunModel begun)
{
    private const int Side = TinyModel.PanelSize;
    private const int Tokens = Side / 16;

    [Fact]
    public void Of_PutsAGridsPanelsTogetherInTheOrderOfPackedLatents()
    {
        using DisposeScope scope = NewDisposeScope();
        using PanelFeatures features = Features();
        random.manual_seed(1);
        Tensor panels = rand(4, 3, Side, Side) * 2 - 1;
        Tensor grid = cat([cat([panels[0], panels[1]], 2), cat([panels[2], panels[3]], 2)], 1); // [3, 2 · side, 2 · side]
        Tensor whole = features.Of(grid.unsqueeze(0)).reshape(2 * Tokens, 2 * Tokens, -1);
        Tensor apart = features.Of(panels).reshape(4, Tokens, Tokens, -1);
        Tensor together = cat([cat([apart[0], apart[1]], 1), cat([apart[2], apart[3]], 1)], 0);
        Assert.True(whole.to(ScalarType.Float32).allclose(together.to(ScalarType.Float32), atol: 0.05));
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(5, 0)]
    public void Of_TokensStandWhereThePictureChanges(int row, int column)
    {
        using DisposeScope scope = NewDisposeScope();
        using PanelFeatures features = Features();
        random.manual_seed(2);
        Tensor image = rand(1, 3, Side, Side) * 2 - 1;
        Tensor changed = image.clone();
        changed.narrow(2, 16 * row, 16).narrow(3, 16 * column, 16).neg_();
        Tensor difference = (features.Of(image) - features.Of(changed)).to(ScalarType.Float32).square().sum(2)[0]; // [tokens]
        // A token sees a little of its neighbours' pictures, so that one of those may change as much.
        (long foundRow, long foundColumn) = Math.DivRem(difference.argmax().item<long>(), Tokens);
        Assert.InRange(foundRow, row - 1, row + 1);
        Assert.InRange(foundColumn, column - 1, column + 1);
    }

    [Fact]
    public void Loss_IsLeastWhereHiddenStatesPointTheFeaturesWay()
    {
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(3);
        using Alignment alignment = new(8, 5, CPU, ScalarType.Float32);
        Tensor hidden = randn(2, 3, 8);
        Tensor projected = alignment.forward(hidden).detach();
        Assert.Equal(-1, alignment.Loss(hidden, projected * 3).item<float>(), 0.01);
        Assert.Equal(1, alignment.Loss(hidden, -projected).item<float>(), 0.01);
    }

    [Fact]
    public void Run_RefusesToAlignATeacherWithAJudgeThatIsNotThere()
    {
        using TemporaryFolder folder = new();
        begun.CopyInto(folder);
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => TinyTrainingTests.Train(folder, ["teacher"], TinyTrainingTests.Config, out _));
        Assert.Contains("Run the stage judge first, or set alignment_weight to 0", e.Message);
    }

    [Theory]
    [InlineData(1)] // a block with two streams shows the image's
    [InlineData(2)] // a block over the joined stream shows text and image
    public void Run_AlignsTheTeacherAfterEitherKindOfBlock_AndWritesIt(int block)
    {
        using TemporaryFolder folder = new();
        string config = TinyTrainingTests.Config.Replace("\"alignment_block\": 1", $"\"alignment_block\": {block}");
        string model = begun.CopyInto(folder);
        TinyTrainingTests.Copy(TinyModel.JudgeFolder, Path.Combine(model, "judge"));

        TinyTrainingTests.Train(folder, ["teacher"], config, out List<string> said);

        Match first = Assert.Single(said.Select(line => Regex.Match(line, "^teacher: step 0  flow ([0-9.]+)  alignment (-?[0-9.]+)$")), m => m.Success);
        Assert.InRange(double.Parse(first.Groups[1].Value, CultureInfo.InvariantCulture), 0.01, 100);
        Assert.InRange(double.Parse(first.Groups[2].Value, CultureInfo.InvariantCulture), -1, 1);
        using TextToImagePipeline teacher = TextToImagePipeline.Load(model);
        Picture drawn = teacher.Generate([new TextToImageRequest("a blue creature", 1)], new TextToImageOptions { Width = Side, Height = Side, Steps = 1 })[0];
        Assert.Equal((Side, Side), (drawn.Width, drawn.Height));
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(model, "transformer", "diffusion_pytorch_model.safetensors"));
        // What aligns is thrown away.
        Assert.DoesNotContain(weights.Entries.Keys, name => name.Contains("projection", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_NeedsNoJudgeWithoutAlignment()
    {
        using TemporaryFolder folder = new();
        string config = TinyTrainingTests.Config.Replace("\"alignment_weight\": 0.5", "\"alignment_weight\": 0");
        begun.CopyInto(folder);
        TinyTrainingTests.Train(folder, ["teacher"], config, out List<string> said);
        Assert.DoesNotContain(said, line => line.Contains("alignment"));
    }

    [Fact]
    public void Run_TellsSubjectsFromHiddenStatesAndMindsTheirDetails()
    {
        using TemporaryFolder folder = new();
        string config = TinyTrainingTests.Config.Replace("\"alignment_weight\": 0.5", "\"alignment_weight\": 0")
            .Replace("\"reading_weight\": 0, \"detail_weight\": 0", "\"reading_weight\": 0.1, \"detail_weight\": 2");
        string model = begun.CopyInto(folder);

        TinyTrainingTests.Train(folder, ["teacher"], config, out List<string> said);

        Match first = Assert.Single(said.Select(line => Regex.Match(line, "^teacher: step 0  flow ([0-9.]+)  reading ([0-9.]+)$")), m => m.Success);
        // Who knows nothing is wrong by the mean logarithm of the values' number.
        Assert.Equal(
            Subject.Kinds.Average(kind => Math.Log(kind.Count)), double.Parse(first.Groups[2].Value, CultureInfo.InvariantCulture), 0.3);
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(model, "transformer", "diffusion_pytorch_model.safetensors"));
        // What reads is thrown away.
        Assert.DoesNotContain(weights.Entries.Keys, name => name.Contains("heads", StringComparison.Ordinal));
    }

    private static PanelFeatures Features()
    {
        using TemporaryFolder folder = new();
        string file = folder.File("training.json");
        File.WriteAllText(file, TinyTrainingTests.Config);
        return PanelFeatures.Load(TinyModel.Folder, TinyTrainingConfig.Load(file), CPU);
    }
}
