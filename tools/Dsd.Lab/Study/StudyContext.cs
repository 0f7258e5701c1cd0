using Dsd.Lab.Training;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny;
using Dsd.Tiny.Classifier;
using static TorchSharp.torch;

namespace Dsd.Lab.Study;

/// <summary>What every part of the study is given: where to read and write, on which device, and whom to tell.</summary>
internal sealed record StudyContext(
    StudyConfig Config,
    string OutFolder,
    string ModelFolder,
    IReadOnlyList<Device> Devices,
    Action<string> Log,
    CancellationToken CancellationToken)
{
    /// <summary>The device of all but the grids, which all devices share.</summary>
    public Device Device => Devices[0];

    /// <summary>Side of a picture in pixels. Default <see cref="TinyModel.PanelSize"/>, which the study's own systems ask for.</summary>
    public int PanelSize { get; init; } = TinyModel.PanelSize;

    /// <summary>How models are loaded.</summary>
    public PipelineOptions Loading => ModelLoading.On(Device);

    /// <summary>How all systems that take a reference draw.</summary>
    public DsdOptions Sampling => TinyModel.Sampling with
    {
        Width = PanelSize,
        Height = PanelSize,
        Steps = Config.DrawingSteps,
        Guidance = Config.Guidance,
        ImageGuidance = Config.ImageGuidance,
        TextGuidance = Config.TextGuidance,
    };

    public string GridFolder(string name) => Path.Combine(OutFolder, "grids", name);

    public string SystemFolder(string name) => Path.Combine(OutFolder, "systems", name);

    /// <summary>The cases, drawn anew at each call.</summary>
    public IReadOnlyList<StudyCase> Cases() => StudyCases.Draw(Config.Seed, Config.Subjects, Config.Prompts, PanelSize);

    /// <summary>The measure, for the caller to dispose.</summary>
    public AttributeClassifier OpenClassifier() => AttributeClassifier.Load(Part("classifier"), Device);

    /// <summary>The folder of a part of the model.</summary>
    /// <exception cref="DirectoryNotFoundException">It is not there; the message says how to train it.</exception>
    public string Part(string part)
    {
        string folder = Path.Combine(ModelFolder, part);
        return Directory.Exists(folder)
            ? folder
            : throw new DirectoryNotFoundException(
                $"The study needs the model's {part}, but there is no folder '{folder}'. Train it: dotnet run -c Release --project tools/Dsd.Lab -- "
                    + $"train --out '{ModelFolder}' --stage {part}");
    }

    public IProgress<TrainingProgress> Progress(string name) => new Reporter(this, name);

    /// <summary>Reports at once, in order, on the training thread; <see cref="Progress{T}"/> would report later and elsewhere.</summary>
    private sealed class Reporter(StudyContext context, string name) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress p)
        {
            if (p.Step % 250 == 0 || p.Step == p.Steps || p.Step <= 50)
            {
                context.Log($"{name}: step {p.Step}/{p.Steps}  loss {p.Loss:F5}  gradient {p.GradientNorm:F3}  {p.Elapsed.TotalSeconds:F0} s");
            }
        }
    }
}
