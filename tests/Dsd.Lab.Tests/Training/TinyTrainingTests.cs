using System.Globalization;
using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Lab.Training;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Testing;
using Dsd.Tiny;
using TorchSharp;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public class TinyTrainingTests(BegunModel begun)
{
    // The same stages as for the embedded model, so small that they take seconds.
    internal static readonly string Config = """
        {
          "seed": 1,
          "panel_size": PANEL,
          "vae": {
            "steps": 2, "batch": 4, "peak_learning_rate": 0.001, "block_out_channels": [8, 8, 8, 8], "norm_num_groups": 4, "latent_channels": 4,
            "kl_weight": 1e-5, "decoder_alone": false
          },
          "text": { "steps": 2, "batch": 4, "peak_learning_rate": 0.001, "t5_width": 32, "t5_layers": 1, "t5_heads": 2, "t5_feed_forward": 32,
                    "t5_tokens": 64, "clip_width": 32, "clip_layers": 1, "clip_heads": 2, "clip_feed_forward": 32 },
          "teacher": {
            "steps": 4, "batch": 2, "peak_learning_rate": 0.001, "double_layers": 1, "single_layers": 1, "heads": 2, "head_size": 16,
            "rope_axes": [4, 6, 6], "inconsistent_share": 0.3, "pool": 4, "pool_steps": 3, "caption_dropout": 0.1, "alignment_weight": 0.5,
            "alignment_block": 1, "reading_weight": 0, "detail_weight": 0,
            "in_context": { "share": 0.5, "together_share": 0.2, "clean_share": 0.5, "noise_shift": 0.5 }, "look_steps": 0, "look_subjects": 2
          },
          "guidance": { "steps": 2, "batch": 2, "peak_learning_rate": 0.001, "least": 1, "most": 6 },
          "judge": { "steps": 1, "batch": 2, "peak_learning_rate": 0.001 },
          "classifier": { "steps": 1, "batch": 2, "peak_learning_rate": 0.001 },
          "student": {
            "grids": 4, "steps": 2, "batch": 2, "peak_learning_rate": 0.001, "rank": 2, "condition_start": 0.5, "guidance": 3.5, "sampling_steps": 2,
            "whole_subject_share": 1, "least_kept_share": 0.5
          }
        }
        """.Replace("PANEL", TinyModel.PanelSize.ToString(CultureInfo.InvariantCulture));

    [Fact]
    public void Run_MakesAFolderThatDrawsWithAndWithoutAReference()
    {
        using TemporaryFolder folder = new();
        string file = folder.File("training.json");
        File.WriteAllText(file, Config);
        string model = folder.File("model");
        TinyTrainingOptions options = new() { OutFolder = model, ConfigFile = file, Stages = ["tokenizers", "vae", "text", "teacher", "guidance"] };
        // The judge's own training is tested beside it; measuring it on held-out pairs takes longer than all the rest.
        Copy(TinyModel.JudgeFolder, Path.Combine(model, "judge"));
        Assert.True(TinyTraining.Run(options, _ => { }));
        TinyTrainingOptions last = options with { Stages = ["student"] };
        Assert.False(TinyTraining.Run(last with { Time = TimeSpan.Zero }, _ => { }));
        Assert.False(Directory.Exists(Path.Combine(model, "dsd")));
        Assert.True(TinyTraining.Run(last, _ => { }));

        using TextToImagePipeline teacher = TextToImagePipeline.Load(model);
        const int Side = TinyModel.PanelSize;
        Picture drawn = teacher.Generate([new TextToImageRequest("a blue creature", 1)], new TextToImageOptions { Width = Side, Height = Side, Steps = 1 })[0];
        Assert.Equal((Side, Side), (drawn.Width, drawn.Height));
        using DsdPipeline student = DsdPipeline.Load(
            model, options: new PipelineOptions { Loras = [new LoraUse(Path.Combine(model, "dsd", "pytorch_lora_weights.safetensors"))] });
        Picture edited = student.Generate([new DsdRequest(drawn, "this creature on a beach", 1)], new DsdOptions { Width = Side, Height = Side, Steps = 1 })[0];
        Assert.Equal((Side, Side), (edited.Width, edited.Height));
    }

    [Fact]
    public void Run_StopsWhenTheTimeIsUpAndGoesOnWhenCalledAgain()
    {
        using TemporaryFolder folder = new();
        string file = folder.File("training.json");
        File.WriteAllText(file, Config);
        TinyTrainingOptions options = new() { OutFolder = folder.File("model"), ConfigFile = file, Stages = ["vae"] };
        Assert.False(TinyTraining.Run(options with { Time = TimeSpan.Zero }, _ => { }));
        Assert.False(File.Exists(Path.Combine(options.OutFolder, "vae", "config.json")));
        List<string> said = [];
        Assert.True(TinyTraining.Run(options, said.Add));
        said.Clear();
        Assert.True(TinyTraining.Run(options, said.Add));
        Assert.Empty(said);
    }

    [Fact]
    public void Run_TrainsTheSameTeacherOnTwoDevicesAsOnOne()
    {
        using TemporaryFolder folder = new();
        using DisposeScope scope = torch.NewDisposeScope();
        Dictionary<string, torch.Tensor> one = Teacher("cpu");
        Dictionary<string, torch.Tensor> two = Teacher("cpu,cpu");

        // The weights are stored in bfloat16, so that a last bit may differ; four steps of 1e-3 would differ in many.
        Assert.All(one, w => TensorAssert.Close(w.Value.to(torch.float32), two[w.Key].to(torch.float32), 2e-3));

        Dictionary<string, torch.Tensor> Teacher(string device)
        {
            string model = begun.CopyInto(folder, $"model-{device.Length}");
            Copy(TinyModel.JudgeFolder, Path.Combine(model, "judge"));
            Train(folder, ["teacher"], Config, out _, $"model-{device.Length}", device);
            using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(model, "transformer", "diffusion_pytorch_model.safetensors"));
            return weights.Entries.Keys.ToDictionary(name => name, weights.Read);
        }
    }

    [Fact]
    public void Run_LooksAcrossNowAndThenAndWritesWhatItFound()
    {
        using TemporaryFolder folder = new();
        string model = begun.CopyInto(folder);
        Copy(TinyModel.JudgeFolder, Path.Combine(model, "judge"));
        string config = Config.Replace("\"look_steps\": 0", "\"look_steps\": 2");
        Assert.Contains("Run the stage classifier first",
            Assert.Throws<DirectoryNotFoundException>(() => Train(folder, ["teacher"], config, out _)).Message);
        Copy(TinyModel.ClassifierFolder, Path.Combine(model, "classifier"));

        Train(folder, ["teacher"], config, out List<string> said);

        LookEntry[] entries = LookFiles.ReadJson<LookEntry[]>(Path.Combine(model, ".training", "look.json"));
        Assert.Equal([(2, false), (4, true)], entries.Select(entry => (entry.Step, entry.Averaged)));
        Assert.All(entries, entry => Assert.Equal(6, entry.Figures.Count));
        Assert.Equal(12, said.Count(line => line.Contains("looks across")));
        using TextToImagePipeline looked = TextToImagePipeline.Load(Path.Combine(model, ".training", "look"));
    }

    [Fact]
    public void Run_FromAModel_GoesOnWithItsTeacherAndRemembersIt()
    {
        using TemporaryFolder folder = new();
        string first = begun.CopyInto(folder, "first");
        Copy(TinyModel.JudgeFolder, Path.Combine(first, "judge"));
        TinyTrainingOptions options = new() { OutFolder = first, ConfigFile = folder.File("training.json"), Stages = ["teacher"] };
        Train(folder, ["teacher"], Config, out _, "first");
        TinyFiles.SaveFrame(first);
        TinyTrainingOptions on = options with { OutFolder = folder.File("second"), StartFolder = first };
        List<string> said = [];

        Assert.False(TinyTraining.Run(on with { Time = TimeSpan.Zero }, said.Add));
        Assert.True(TinyTraining.Run(on, said.Add));

        Assert.Single(said, line => line.Contains("starts from the model"));
        Assert.Contains("teacher: continues from the weights in the folder", said);
        Assert.True(File.Exists(Path.Combine(on.OutFolder, ".training", "text.done")));
        Assert.False(Directory.Exists(Path.Combine(on.OutFolder, "dsd")));
        Assert.NotEqual(Weights(first), Weights(on.OutFolder));
        // Another model, or a folder that was begun without one, is not gone on with.
        File.WriteAllText(Path.Combine(first, "vae", "config.json"), File.ReadAllText(Path.Combine(first, "vae", "config.json")) + "\n");
        Assert.Contains("'vae/config.json' differs", Assert.Throws<ArgumentException>(() => TinyTraining.Run(on, said.Add)).Message);
        TinyTrainingOptions begunWithout = on with { OutFolder = begun.CopyInto(folder) };
        Assert.Contains("begun without", Assert.Throws<ArgumentException>(() => TinyTraining.Run(begunWithout, said.Add)).Message);

        static byte[] Weights(string model) => File.ReadAllBytes(Path.Combine(model, "transformer", "diffusion_pytorch_model.safetensors"));
    }

    [Fact]
    public void Run_FromAModelOfSmallerPanels_BeginsAnewWhatSawThem()
    {
        using TemporaryFolder folder = new();
        string first = begun.CopyInto(folder, "first");
        Copy(TinyModel.JudgeFolder, Path.Combine(first, "judge"));
        Copy(TinyModel.ClassifierFolder, Path.Combine(first, "classifier"));
        TinyFiles.SaveFrame(first);
        string file = folder.File("training.json");
        File.WriteAllText(file, Config
            .Replace($"\"panel_size\": {TinyModel.PanelSize}", $"\"panel_size\": {TinyModel.PanelSize / 2}")
            .Replace("\"decoder_alone\": false", "\"decoder_alone\": true"));
        List<string> said = [];

        TinyTrainingOptions options = new() { OutFolder = folder.File("second"), ConfigFile = file, StartFolder = first, Stages = ["tokenizers"] };
        Assert.True(TinyTraining.Run(options, said.Add));

        Assert.Contains(said, line => line.EndsWith(", but for judge and classifier", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(options.OutFolder, "vae", "config.json")));
        Assert.All(["judge", "classifier"], part => Assert.False(Directory.Exists(Path.Combine(options.OutFolder, part))));
        // The decoder learns on, so its stage is not done either.
        Assert.Equal(["text.done", "tokenizers.done"],
            Directory.EnumerateFiles(Path.Combine(options.OutFolder, ".training"), "*.done").Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Device_RefusesADeviceOfAnotherKind() =>
        Assert.Contains("cpu, cuda or cuda:N",
            Assert.Throws<ArgumentException>(() => new TinyTrainingOptions { OutFolder = "unused", Device = "cuda:0,tpu" }).Message);

    [Fact]
    public void Run_RefusesAnUnknownStage()
    {
        TinyTrainingOptions options = new() { OutFolder = "unused", Stages = ["teeth"] };

        ArgumentException e = Assert.Throws<ArgumentException>(() => TinyTraining.Run(options, _ => { }));

        Assert.Contains("Stage 'teeth': expected one of tokenizers, vae", e.Message);
    }

    [Fact]
    public void Load_RefusesAConfigWithAFieldThatNobodyReads()
    {
        using TemporaryFolder folder = new();
        string file = folder.File("training.json");
        File.WriteAllText(file, Config.Replace("\"seed\"", "\"sede\""));
        Exception e = Assert.ThrowsAny<Exception>(() => TinyTrainingConfig.Load(file));
        Assert.Contains("sede", e.Message);
        Assert.Contains(file, e.Message);
    }

    [Fact]
    public void DefaultFile_IsThere() => Assert.Equal(TinyModel.PanelSize, TinyTrainingConfig.Load(TinyTrainingConfig.DefaultFile).PanelSize);

    /// <summary>Runs stages with a config in a folder's subfolder, which it returns.</summary>
    internal static string Train(
        TemporaryFolder folder, IReadOnlyList<string> stages, string config, out List<string> said, string name = "model", string device = "cpu")
    {
        string file = folder.File("training.json");
        File.WriteAllText(file, config);
        List<string> lines = [];
        Assert.True(TinyTraining.Run(
            new TinyTrainingOptions { OutFolder = folder.File(name), ConfigFile = file, Device = device, Stages = stages }, lines.Add));
        said = lines;
        return folder.File(name);
    }

    internal static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
