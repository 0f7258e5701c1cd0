using System.Text.Json.Nodes;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Weights;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests.Encoders;

public sealed class EncoderExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Model => _folder.File("model");

    private string Target => _folder.File("out");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AnExport_SaysWhatItIs()
    {
        EncoderExporter.Export(EvalFixtures.Own("clip"), Target);
        EncoderFolder folder = EncoderFolder.Open(Target);

        Assert.Equal((EncoderKind.Clip, 24, 77, "clip"), (folder.Kind, folder.Width, folder.TextTokens, folder.Source));
        Assert.Equal((224, 224, 224, Resampling.TorchvisionBytes), (
            folder.Preprocessing.ShortestSide, folder.Preprocessing.Width, folder.Preprocessing.Height, folder.Preprocessing.Resampling));
        Assert.True(File.Exists(folder.ImageModel) && File.Exists(folder.TextModel));
        folder.CheckHashes();
    }

    [Fact]
    public void TheSameFiles_GiveTheSameBytes()
    {
        EncoderExporter.Export(EvalFixtures.Own("dino"), Target);
        EncoderExporter.Export(EvalFixtures.Own("dino"), _folder.File("again"));
        Assert.Equal(EncoderFolder.Open(Target).Hashes, EncoderFolder.Open(_folder.File("again")).Hashes);
    }

    [Fact]
    public void WhoseArithmetic_CanBeChosen()
    {
        EncoderExporter.Export(EvalFixtures.Own("dinov2"), Target, new EncoderExportOptions { Resampling = Resampling.Pillow });
        Assert.Equal(Resampling.Pillow, EncoderFolder.Open(Target).Preprocessing.Resampling);
    }

    [Fact]
    public void WeightsOfTransformersBeforeSafetensors_AreReadToo()
    {
        Copy("dino", "config.json");
        using (WeightSource weights = WeightSource.Open(EvalFixtures.Own("dino")))
        {
            Entries(new TorchArchive().Code('}'), weights, "").Code('.').Save(Path.Combine(Model, "pytorch_model.bin"));
        }
        EncoderExporter.Export(Model, Target);
        EncoderExporter.Export(EvalFixtures.Own("dino"), _folder.File("safetensors"));
        Assert.Equal(EncoderFolder.Open(_folder.File("safetensors")).Hashes, EncoderFolder.Open(Target).Hashes);
    }

    [Fact]
    public void CsdsTrainersFile_IsReadToo()
    {
        // As the training code saves it: in a dictionary beside a counter and its options, ordered, 'module.' before every name.
        string own = EvalFixtures.Own("csd", "csd_vit-large.pth");
        EncoderExportOptions heads = new() { Heads = 4 };
        using (TorchFile weights = TorchFile.Open(own))
        {
            TorchArchive torch = new TorchArchive().Code('}').Text("iter").Number(5).Code('s')
                .Text("args").Global("argparse", "Namespace").Code(')').Raw(0x81).Code('}').Text("lr").Number(1).Code('s').Code('b').Code('s')
                .Text("model_state_dict").Global("collections", "OrderedDict").Code(')').Code('R');
            Entries(torch, weights, "module.").Code('s').Code('.').Save(_folder.File("checkpoint.pth"));
        }
        EncoderExporter.Export(own, Target, heads);
        EncoderExporter.Export(_folder.File("checkpoint.pth"), _folder.File("trained"), heads);
        Assert.Equal(EncoderFolder.Open(Target).Hashes, EncoderFolder.Open(_folder.File("trained")).Hashes);
    }

    [Fact]
    public void CsdsHeads_AreAskedFor()
    {
        string file = EvalFixtures.Own("csd", "csd_vit-large.pth");
        WeightsException e = Assert.Throws<WeightsException>(() => EncoderExporter.Export(file, Target));
        Assert.Contains("--heads", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<WeightsException>(() => EncoderExporter.Export(file, Target, new EncoderExportOptions { Heads = 5 }));
        Assert.Contains("5 attention heads", e.Message, StringComparison.Ordinal);
        ArgumentException other = Assert.Throws<ArgumentException>(
            () => EncoderExporter.Export(EvalFixtures.Own("dino"), Target, new EncoderExportOptions { Heads = 4 }));
        Assert.Contains("is for CSD", other.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Target));
    }

    [Fact]
    public void WhatIsNoEncoder_IsNamed()
    {
        AssertRefused<DirectoryNotFoundException>(Model, "found nothing there");
        Directory.CreateDirectory(Model);
        AssertRefused<WeightsException>(Model, "model_type", "found neither");
        File.WriteAllText(Path.Combine(Model, "config.json"), """{"model_type":"bert"}""");
        AssertRefused<WeightsException>("config.json", "model_type clip, vit (DINO) or dinov2", "'bert'");
        File.WriteAllText(Path.Combine(Model, "config.json"), "[");
        AssertRefused<WeightsException>("config.json", "JSON");
        File.Delete(Path.Combine(Model, "config.json"));
        File.Copy(EvalFixtures.Own("dino", "model.safetensors"), Path.Combine(Model, "one.safetensors"));
        AssertRefused<WeightsException>("one.safetensors", "last_layer_style");
        File.Copy(EvalFixtures.Own("dino", "model.safetensors"), Path.Combine(Model, "two.safetensors"));
        AssertRefused<WeightsException>("one.safetensors, two.safetensors", "Name the file");
    }

    [Theory]
    [InlineData("dino", "hidden_size", "96", "no 'embeddings.cls_token'", "asks for floating [1, 1, 96]")]
    [InlineData("dino", "hidden_size", "-1", "hidden_size", "must lie between")]
    [InlineData("dino", "hidden_size", "46", "num_attention_heads", "46")]
    [InlineData("dino", "num_hidden_layers", "4", "no 'encoder.layer.3.", "")]
    [InlineData("dino", "num_hidden_layers", "2", "unexpected 'encoder.layer.2.", "")]
    [InlineData("dino", "hidden_act", "\"relu\"", "hidden_act", "relu")]
    [InlineData("dino", "num_channels", "4", "num_channels", "4")]
    [InlineData("dino", "patch_size", "1000", "at least patch_size", "1000")]
    [InlineData("dinov2", "image_size", "4096", "position_embeddings", "")]
    [InlineData("dinov2", "patch_size", "1", "numbers for the positions", "")]
    [InlineData("clip", "projection_dim", "25", "visual_projection.weight", "[25, 48]")]
    [InlineData("clip", "text_config", "{}", "config.json", "vocab_size")]
    public void AWrongConfig_IsOneClearError(string model, string field, string value, string expected, string found)
    {
        Copy(model, "*");
        Change("config.json", field, value);
        if (field == "patch_size" && model == "dinov2")
        {
            Change("config.json", "image_size", "4096");
        }
        Assert.Contains(
            found,
            AssertRefused<WeightsException>(expected.StartsWith("no 'embeddings", StringComparison.Ordinal) ? "embeddings.cls_token" : expected),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("resample", "2")]
    [InlineData("do_resize", "false")]
    [InlineData("rescale_factor", "1")]
    [InlineData("image_std", "[0, 1, 1]")]
    [InlineData("size", "{\"longest_edge\": 224}")]
    [InlineData("size", "200")]
    [InlineData("crop_size", "\"large\"")]
    [InlineData("crop_size", "192")]
    public void PreprocessingThatIsNotDone_IsRefused(string field, string value)
    {
        Copy("clip", "*");
        Change("preprocessor_config.json", field, value);
        AssertRefused<WeightsException>("preprocessor_config.json");
    }

    [Fact]
    public void SizesAsOlderVersionsWriteThem_AreRead()
    {
        Copy("clip", "*");
        Change("preprocessor_config.json", "size", "224");
        Change("preprocessor_config.json", "crop_size", "224");
        EncoderExporter.Export(Model, Target);
        Assert.Equal((224, 224), (EncoderFolder.Open(Target).Preprocessing.ShortestSide, EncoderFolder.Open(Target).Preprocessing.Width));
    }

    [Fact]
    public void AFolderOfOtherFiles_IsNeverReplaced()
    {
        Directory.CreateDirectory(Target);
        File.WriteAllText(Path.Combine(Target, "letter.txt"), "dear");
        EncoderExportOptions overwriting = new() { Overwrite = true };
        IOException e = Assert.Throws<IOException>(() => EncoderExporter.Export(EvalFixtures.Own("dino"), Target, overwriting));
        Assert.Contains("other files", e.Message, StringComparison.Ordinal);
        Assert.Equal(["letter.txt"], Directory.EnumerateFiles(Target).Select(Path.GetFileName));
    }

    [Fact]
    public void AnEarlierExport_IsReplacedWhereItMay()
    {
        EncoderExporter.Export(EvalFixtures.Own("dino"), Target);
        IOException e = Assert.Throws<IOException>(() => EncoderExporter.Export(EvalFixtures.Own("dinov2"), Target));
        Assert.Contains("Overwrite", e.Message, StringComparison.Ordinal);
        EncoderExporter.Export(EvalFixtures.Own("dinov2"), Target, new EncoderExportOptions { Overwrite = true });
        Assert.Equal(EncoderKind.DinoV2, EncoderFolder.Open(Target).Kind);
    }

    [Fact]
    public void AFolderThatWasChanged_IsRefused()
    {
        EncoderExporter.Export(EvalFixtures.Own("dino"), Target);
        string description = Path.Combine(Target, "encoder.json");
        string whole = File.ReadAllText(description);
        foreach ((string from, string to, string word) in new[]
        {
            ("\"format_version\": 1", "\"format_version\": 2", "format_version 1"),
            ("\"width\": 48", "\"width\": 0", "width 1 to"),
            ("\"shortest_side\": 256", "\"shortest_side\": 100", "ShortestSide"),
            ("\"kind\": \"dino\"", "\"kind\": \"ear\"", "kind"),
            ("\"image_encoder/model.onnx\": ", "\"../model.onnx\": ", "its own folder"),
        })
        {
            Assert.Contains(from, whole, StringComparison.Ordinal);
            File.WriteAllText(description, whole.Replace(from, to, StringComparison.Ordinal));
            WeightsException e = Assert.Throws<WeightsException>(() => EncoderFolder.Open(Target));
            Assert.Contains(word, e.Message, StringComparison.Ordinal);
        }
        File.WriteAllText(description, whole);
        string network = Path.Combine(Target, "image_encoder", "model.onnx");
        byte[] bytes = File.ReadAllBytes(network);
        bytes[^9] ^= 1;
        File.WriteAllBytes(network, bytes);
        Assert.Contains("damaged", Assert.Throws<WeightsException>(() => EncoderFolder.Open(Target).CheckHashes()).Message, StringComparison.Ordinal);
        File.WriteAllBytes(network, bytes[..1000]);
        Assert.Contains("model.onnx", Assert.Throws<WeightsException>(() => PictureEncoder.Open(Target).Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TextsNeedAnEncoderThatReadsThem_AndLongOnesAreCutOff()
    {
        EncoderExporter.Export(EvalFixtures.Own("dino"), Target);
        EncoderExporter.Export(EvalFixtures.Own("clip"), _folder.File("clip"));
        using PictureEncoder dino = PictureEncoder.Open(Target);
        List<string> warnings = [];
        using PictureEncoder clip = PictureEncoder.Open(_folder.File("clip"), new() { Warn = warnings.Add });

        Assert.Contains("no network for texts", Assert.Throws<NotSupportedException>(() => dino.EncodeTexts(["a"])).Message, StringComparison.Ordinal);
        Assert.Equal(24, Assert.Single(clip.EncodeTexts([string.Join(' ', Enumerable.Repeat("cat", 100))])).Length);
        Assert.Contains("cut off", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Empty(clip.Encode([]));
    }

    [Fact]
    public void ABatch_ChangesNoEmbedding()
    {
        EncoderExporter.Export(EvalFixtures.Own("dinov2"), Target);
        using PictureEncoder encoder = PictureEncoder.Open(Target);
        Dsd.Imaging.Picture[] pictures = [.. Enumerable.Range(10, 5).Select(i => Pngs.Noisy(10 * i, 300 - 9 * i))];
        float[][] together = encoder.Encode(pictures, batch: 5);
        float[][] alone = encoder.Encode(pictures, batch: 1);
        Assert.All(together.Zip(alone), p => Assert.All(p.First.Zip(p.Second), n => Assert.Equal(n.First, n.Second, 1e-5f)));
    }

    /// <summary>All tensors of a file as entries of the dictionary that is open in another one.</summary>
    private static TorchArchive Entries(TorchArchive archive, ITensorSource from, string prefix)
    {
        int key = 0;
        foreach (string name in from.Names)
        {
            float[] values = new float[from.Entry(name).ElementCount];
            from.ReadFloats(name, 0, values);
            long[] shape = from.Entry(name).Shape;
            long[] strides = [.. shape.Select((_, i) => shape.Skip(i + 1).Aggregate(1L, (product, side) => product * side))];
            archive.Tensor(prefix + name, $"{key}", values.Length, shape, strides).Storage($"{key++}", values);
        }
        return archive;
    }

    private void Copy(string model, string pattern)
    {
        Directory.CreateDirectory(Model);
        foreach (string file in Directory.EnumerateFiles(EvalFixtures.Own(model), pattern))
        {
            File.Copy(file, Path.Combine(Model, Path.GetFileName(file)));
        }
    }

    private void Change(string file, string field, string value)
    {
        string path = Path.Combine(Model, file);
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(path, config.ToJsonString());
    }

    private string AssertRefused<T>(params string[] words)
        where T : Exception
    {
        T e = Assert.Throws<T>(() => EncoderExporter.Export(Model, Target));
        Assert.All(words, word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
        Assert.False(Directory.Exists(Target));
        return e.Message;
    }
}
