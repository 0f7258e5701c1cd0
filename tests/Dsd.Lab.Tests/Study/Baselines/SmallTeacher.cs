using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Lab.Study;
using Dsd.Lab.Training;
using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Study.Baselines;

/// <summary>A folder with a whole pipeline of random weights, so small that a step takes milliseconds, and cases and pairs for it.</summary>
public sealed class SmallTeacher : IDisposable
{
    /// <summary>A study of seconds.</summary>
    public const string StudyConfig = """
        {
          "seed": 7, "subjects": 2, "prompts": 2, "grids": 6, "relight_grids": 4, "whole_subject_share": 0.5, "grid_steps": 1, "least_kept_share": 0.5,
          "steps": 2, "batch": 2, "learning_rate": 0.002, "rank": 2, "guidance": 3.5, "image_guidance": 3, "text_guidance": 3,
          "drawing_steps": 1, "drawing_batch": 3,
          "subject_lora": { "steps": 2, "samples_per_step": 1, "subjects_at_once": 2, "views": 1, "wordings": 1, "rank": 2 }
        }
        """;

    private readonly TemporaryFolder _folder = new();

    public SmallTeacher()
    {
        Folder = _folder.File("teacher");
        foreach (string tokenizer in new[] { "tokenizer", "tokenizer_2" })
        {
            Directory.CreateDirectory(Path.Combine(Folder, tokenizer));
            foreach (string file in Directory.EnumerateFiles(Path.Combine(TinyModel.Folder, tokenizer)))
            {
                File.Copy(file, Path.Combine(Folder, tokenizer, Path.GetFileName(file)));
            }
        }
        using IDisposable noGrad = no_grad();
        TinyTrainingConfig config = Shrunk(TinyTrainingConfig.Load(TinyTrainingConfig.DefaultFile));
        TinyFiles.SaveFrame(Folder);
        random.manual_seed(1);
        using AutoencoderKL vae = new(
            new VaeConfig
            {
                LatentChannels = 4,
                BlockOutChannels = [8, 8, 8, 8],
                NormNumGroups = 4,
                LayersPerBlock = 1,
                UseQuantConv = false,
                UsePostQuantConv = false,
                ScalingFactor = 1,
                ShiftFactor = 0,
            });
        TinyFiles.SaveVae(Folder, vae, vae.Config);
        using TeacherNetworks networks = new(config, TinyTokens.Load(Folder, config.Text.T5Tokens), CPU);
        // New transformers are the identity and say nothing: here every layer has something to say.
        using Generator generator = new(2, CPU);
        foreach (AdaptableLinear linear in networks.Transformer.Linears().Values)
        {
            linear.Initialize(generator);
        }
        TinyFiles.SaveTeacher(Folder, networks);
        Reference = Renderer.Draw(Someone(0), new Context(), TinyModel.PanelSize);
        Pairs = [.. Enumerable.Range(0, 3).Select(i => new TrainingPair(
            Renderer.Draw(Someone(i), new Context(), TinyModel.PanelSize),
            Renderer.Draw(Someone(i), Elsewhere, TinyModel.PanelSize),
            Captions.Edit(Elsewhere, (ulong)i).Text))];
    }

    public static Context Elsewhere { get; } = new() { Scene = Scene.Snow, Light = Light.Night };

    public string Folder { get; }

    public Picture Reference { get; }

    public IReadOnlyList<TrainingPair> Pairs { get; }

    /// <summary>Gives the model a judge and a classifier, which has learned next to nothing; once.</summary>
    public void AddMeasures()
    {
        string judge = Path.Combine(Folder, "judge");
        if (Directory.Exists(judge))
        {
            return;
        }
        Directory.CreateDirectory(judge);
        foreach (string file in Directory.EnumerateFiles(TinyModel.JudgeFolder))
        {
            File.Copy(file, Path.Combine(judge, Path.GetFileName(file)));
        }
        ClassifierTraining.Run(new ClassifierTrainingOptions
        {
            Folder = Path.Combine(Folder, "classifier"),
            Config = ClassifierConfig.ForWorld with { ImageSize = 32, Channels = [8, 8, 8] },
            Steps = 1,
            Batch = 2,
            WarmupSteps = 0,
            HeldOutPictures = 2,
        });
    }

    public string NewFile(string name) => _folder.File(name);

    /// <summary>Cases of some subjects, as many of each.</summary>
    internal static StudyCase[] Cases(int subjects, int each) =>
    [
        .. from s in Enumerable.Range(0, subjects)
           from i in Enumerable.Range(0, each)
           let subject = Someone(s)
           let context = new Context { Scene = (Scene)(i + s) }
           select new StudyCase(
               s, subject, Elsewhere, Renderer.Draw(subject, Elsewhere, TinyModel.PanelSize), Captions.Single(subject, Elsewhere, 1), context,
               Captions.Edit(context, (ulong)i), 10 * s + i),
    ];

    /// <summary>Noise of the frame's size for some seeds: [seeds, tokens, channels].</summary>
    public static Tensor Noise(FluxModel model, params long[] seeds) =>
        new Generation<Tensor>(model).Noise(seeds, model.CanvasOf(TinyModel.PanelSize, TinyModel.PanelSize));

    /// <summary>Positions of that noise's tokens; its autoencoder makes one latent of eight pixels.</summary>
    public static Tensor ImageIds() => LatentPacking.ImageIds(TinyModel.PanelSize / 8, TinyModel.PanelSize / 8);

    public void Dispose() => _folder.Dispose();

    private static Subject Someone(int number) => WorldSampler.Subjects(5, heldOut: true).ElementAt(number);

    private static TinyTrainingConfig Shrunk(TinyTrainingConfig config) => config with
    {
        Vae = config.Vae with { LatentChannels = 4 },
        Text = config.Text with
        {
            T5Width = 32,
            T5Layers = 1,
            T5Heads = 2,
            T5FeedForward = 32,
            ClipWidth = 32,
            ClipLayers = 1,
            ClipHeads = 2,
            ClipFeedForward = 32,
        },
        Teacher = config.Teacher with { DoubleLayers = 1, SingleLayers = 1, Heads = 2, HeadSize = 16, RopeAxes = [4, 6, 6] },
    };
}
