using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Models.Sampling;
using Dsd.Tiny.Classifier;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>
/// Measures now and then, while a teacher is trained, whether it looks from panel to panel. The figures stand in <c>.training/look.json</c>; the newest
/// weights that were looked at, with the other parts, in <c>.training/look</c>, a model's folder.
/// </summary>
/// <param name="context">Whose training it is.</param>
/// <param name="networks">What is trained.</param>
internal sealed class TeacherLook(StageContext context, TeacherNetworks networks)
{
    private const int SamplingSteps = 16;

    // What drawing needs beside the networks that are trained.
    private static readonly string[] OtherParts = ["vae", "tokenizer", "tokenizer_2"];

    private int Subjects => context.Config.Teacher.LookSubjects;

    private string Folder => Path.Combine(context.WorkFolder, "look");

    private string FiguresFile => Path.Combine(context.WorkFolder, "look.json");

    /// <summary>Looks if it is time to.</summary>
    /// <param name="step">Steps taken.</param>
    public void At(long step)
    {
        int every = context.Config.Teacher.LookSteps;
        if (every > 0 && step > 0 && step % every == 0)
        {
            Look(step, averaged: false);
        }
    }

    /// <summary>Looks at what the training ends with, the average of the weights, unless it is never to look.</summary>
    public void AtEnd()
    {
        if (context.Config.Teacher.LookSteps > 0)
        {
            Look(context.Config.Teacher.Steps, averaged: true);
        }
    }

    /// <summary>Refuses to begin a training that could not be looked at.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no classifier.</exception>
    public void RequireClassifier()
    {
        if (context.Config.Teacher.LookSteps > 0 && !Directory.Exists(ClassifierFolder))
        {
            throw new DirectoryNotFoundException(
                $"'{ClassifierFolder}' is not there, which reads what the teacher draws. Run the stage classifier first, or set look_steps to 0.");
        }
    }

    private string ClassifierFolder => Path.Combine(context.OutFolder, "classifier");

    private void Look(long step, bool averaged)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach (string part in OtherParts)
        {
            Directory.CreateDirectory(Path.Combine(Folder, part));
            foreach (string file in Directory.EnumerateFiles(Path.Combine(context.OutFolder, part)))
            {
                File.Copy(file, Path.Combine(Folder, part, Path.GetFileName(file)), overwrite: true);
            }
        }
        TinyFiles.SaveFrame(Folder);
        TinyFiles.SaveTeacher(Folder, networks);
        using AttributeClassifier classifier = AttributeClassifier.Load(ClassifierFolder, context.Device);
        using TextToImagePipeline teacher = TextToImagePipeline.Load(Folder, ModelLoading.On(context.Device));
        // Guidance is not in it yet.
        LookOptions options = new() { PanelSize = context.Config.PanelSize, Subjects = Subjects, Steps = SamplingSteps, Guidance = 1 };
        (IReadOnlyList<LookFigures> figures, IReadOnlyList<Picture> sheet) = LookAcross.Measure(
            teacher, classifier, options, line => context.Log($"teacher: step {step} looks across, {line}"), context.CancellationToken);
        LookEntry[] before = File.Exists(FiguresFile) ? LookFiles.ReadJson<LookEntry[]>(FiguresFile) : [];
        // A training that goes on from a checkpoint passes some steps again.
        LookFiles.WriteJson(FiguresFile, (LookEntry[])[.. before.Where(entry => entry.Step < step), new LookEntry(step, averaged, figures)]);
        LookFiles.WriteSheet(context.WorkFolder, sheet);
    }
}
