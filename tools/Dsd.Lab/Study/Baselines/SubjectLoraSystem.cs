using System.Diagnostics;
using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>
/// <c>per_subject_lora</c>: the teacher tuned on the one reference of each subject, which a rare word then names
/// (DreamBooth, Ruiz et al. 2023, with LoRA for the tuned weights).
/// </summary>
/// <remarks>
/// Many subjects are tuned together, since at this size a step costs the same whatever the batch; each gets the factors that it would get
/// alone. What one subject takes by itself is measured apart: see <see cref="SecondsPerSubject"/>.
/// In tuning, the caption states the reference's whole context, so that the word is left with the subject alone.
/// </remarks>
internal static class SubjectLoraSystem
{
    /// <summary>The system's name in the study's results.</summary>
    public const string Name = "per_subject_lora";

    /// <summary>
    /// Tunes the subjects of the cases and writes their factors, one file for each group of subjects. Groups whose file is there are left out.
    /// </summary>
    /// <param name="modelFolder">The teacher: a pipeline's folder in diffusers' layout.</param>
    /// <param name="device">Where to tune.</param>
    /// <param name="cases">The cases; of each subject's, the first gives the reference and its context. No other truth is used.</param>
    /// <param name="options">Steps, rates and sizes.</param>
    /// <param name="outFolder">Folder of the factors' files, of about 2.6 MB a subject for the embedded model.</param>
    /// <param name="progress">Called for each group, every 50 steps and at the last; the loss is the subjects' mean.</param>
    /// <param name="cancellationToken">Checked between steps. Finished groups stay.</param>
    /// <exception cref="ArgumentException">There is no case.</exception>
    /// <exception cref="WeightsException">A file in the folder holds other subjects, or was tuned with other options.</exception>
    public static void Train(
        string modelFolder, Device device, IReadOnlyList<StudyCase> cases, SubjectLoraOptions options, string outFolder,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        StudyCase[] subjects = Subjects(cases);
        using FluxModel model = (FluxModel)DiffusionModel.Load(modelFolder, ModelLoading.On(device));
        using SubjectTuning tuning = new(model, options);
        foreach (StudyCase[] part in subjects.Chunk(options.SubjectsAtOnce))
        {
            int[] indices = [.. part.Select(s => s.SubjectIndex)];
            string file = SubjectGroup.FileOf(outFolder, indices);
            if (File.Exists(file))
            {
                int[] found = SubjectGroup.ReadIndices(file, options.Tuning);
                if (!found.SequenceEqual(indices))
                {
                    throw new WeightsException(
                        file, $"the factors of {indices.Length} subjects from {indices[0]} to {indices[^1]}",
                        $"those of {found.Length} others. Delete the file to tune them again");
                }
                continue;
            }
            using SubjectGroup group = tuning.Run(part, progress, cancellationToken);
            group.Save(file, options.Tuning);
        }
    }

    /// <summary>Draws a picture for each case, with its subject's factors and a prompt that names the subject by the rare word.</summary>
    /// <param name="modelFolder">The teacher's folder.</param>
    /// <param name="device">Where to draw.</param>
    /// <param name="folder">What <see cref="Train"/> wrote.</param>
    /// <param name="cases">What is asked for. The prompt states what <see cref="StudyCase.Prompt"/> states, in its own wording.</param>
    /// <param name="options">The options that the subjects were tuned with, and steps and guidance of the drawing.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>The pictures, in the order of the cases.</returns>
    /// <exception cref="WeightsException">A subject has no factors in the folder, or was tuned with other options.</exception>
    public static IReadOnlyList<Picture> Draw(
        string modelFolder, Device device, string folder, IReadOnlyList<StudyCase> cases, SubjectLoraOptions options,
        CancellationToken cancellationToken = default)
    {
        ILookup<int, (StudyCase Case, int Place)> bySubject = cases.Select((c, i) => (c, i)).ToLookup(c => c.c.SubjectIndex);
        HashSet<int> missing = [.. bySubject.Select(s => s.Key)];
        List<(string File, int[] Wanted)> groups = [];
        foreach (string file in Directory.EnumerateFiles(folder, "subjects-*.safetensors").Order(StringComparer.Ordinal))
        {
            int[] wanted = [.. SubjectGroup.ReadIndices(file, options.Tuning).Where(missing.Remove)];
            groups.AddRange(wanted.Chunk(options.SubjectsAtOnce).Select(part => (file, part)));
        }
        if (missing.Count > 0)
        {
            throw new WeightsException(
                folder, $"factors for all {bySubject.Count} subjects", $"none for {missing.Count} of them, such as {missing.Min()}. Tune them first");
        }
        Picture[] pictures = new Picture[cases.Count];
        using FluxModel model = (FluxModel)DiffusionModel.Load(modelFolder, ModelLoading.On(device));
        foreach ((string file, int[] wanted) in groups)
        {
            using SubjectGroup group = SubjectGroup.Load(file, options.Tuning, wanted);
            IReadOnlyList<Picture>[] drawn = SubjectDrawing.Run(
                model, group, [.. wanted.Select(w => bySubject[w].Select(c => c.Case).ToArray())], options, cancellationToken);
            for (int i = 0; i < wanted.Length; i++)
            {
                foreach (((_, int place), Picture picture) in bySubject[wanted[i]].Zip(drawn[i]))
                {
                    pictures[place] = picture;
                }
            }
        }
        return pictures;
    }

    /// <summary>The time that one subject takes when it is tuned alone: the same steps, from encoding the reference to its factors in memory.</summary>
    /// <param name="modelFolder">The teacher's folder. Loading it is not counted.</param>
    /// <param name="device">Where to tune.</param>
    /// <param name="cases">The cases; the first two subjects are timed, after a few steps that are not.</param>
    /// <param name="options">Steps, rates and sizes.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>Seconds for one subject: the mean of two, or of one where there is only one.</returns>
    /// <exception cref="ArgumentException">There is no case.</exception>
    public static double SecondsPerSubject(
        string modelFolder, Device device, IReadOnlyList<StudyCase> cases, SubjectLoraOptions options, CancellationToken cancellationToken = default)
    {
        StudyCase[] timed = [.. Subjects(cases).Take(2)];
        using FluxModel model = (FluxModel)DiffusionModel.Load(modelFolder, ModelLoading.On(device));
        using (SubjectTuning warmup = new(model, options with { Steps = Math.Min(5, options.Steps) }))
        {
            warmup.Run(timed[..1], null, cancellationToken).Dispose();
        }
        using SubjectTuning tuning = new(model, options);
        Stopwatch watch = Stopwatch.StartNew();
        foreach (StudyCase subject in timed)
        {
            tuning.Run([subject], null, cancellationToken).Dispose();
        }
        return watch.Elapsed.TotalSeconds / timed.Length;
    }

    private static StudyCase[] Subjects(IReadOnlyList<StudyCase> cases) =>
        cases.Count > 0
            ? [.. cases.DistinctBy(c => c.SubjectIndex).OrderBy(c => c.SubjectIndex)]
            : throw new ArgumentException("There is no case, and so no subject.", nameof(cases));
}
