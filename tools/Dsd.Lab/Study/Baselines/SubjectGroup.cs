using Dsd.Lab.Training;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>
/// The factors of a group of subjects on the CPU, stacked: A [subjects, rank, inputs] and B [subjects, outputs, rank] by module name. Owns them.
/// </summary>
internal sealed class SubjectGroup : IDisposable
{
    private const string Subjects = "subjects";
    private const string TuningKey = "tuning";
    private const string SuffixA = ".lora_A.weight";
    private const string SuffixB = ".lora_B.weight";

    public SubjectGroup(IReadOnlyList<int> subjectIndices, IReadOnlyDictionary<string, (Tensor A, Tensor B)> factors) =>
        (SubjectIndices, Factors) = (subjectIndices, factors);

    /// <summary><see cref="StudyCase.SubjectIndex"/> of each subject, in the order of the stack.</summary>
    public IReadOnlyList<int> SubjectIndices { get; }

    public IReadOnlyDictionary<string, (Tensor A, Tensor B)> Factors { get; }

    /// <summary>Copies what a stack has learned.</summary>
    public static SubjectGroup Of(IReadOnlyList<int> subjectIndices, LoraStack stack) =>
        new(subjectIndices, stack.Factors.ToDictionary(f => f.Key, f => (Copy(f.Value.A), Copy(f.Value.B))));

    /// <summary>Where a group is in a folder.</summary>
    public static string FileOf(string folder, IReadOnlyList<int> subjectIndices) =>
        Path.Combine(folder, $"subjects-{subjectIndices[0]:D5}-{subjectIndices[^1]:D5}.safetensors");

    public void Save(string file, string tuning)
    {
        using Tensor indices = tensor(SubjectIndices.Select(i => (long)i).ToArray());
        SortedDictionary<string, Tensor> tensors = new(StringComparer.Ordinal) { [Subjects] = indices };
        foreach ((string module, (Tensor a, Tensor b)) in Factors)
        {
            tensors.Add(module + SuffixA, a);
            tensors.Add(module + SuffixB, b);
        }
        SafetensorsWriter.Write(file, tensors, new Dictionary<string, string> { [TuningKey] = tuning });
    }

    /// <summary>The subjects of a file, whose factors are not read.</summary>
    /// <exception cref="WeightsException">The file was tuned in another way, or is none of ours.</exception>
    public static int[] ReadIndices(string file, string tuning)
    {
        using SafetensorsFile opened = SafetensorsFile.Open(file);
        return Indices(opened, tuning);
    }

    /// <summary>Reads the factors of some of a file's subjects.</summary>
    public static SubjectGroup Load(string file, string tuning, IReadOnlyList<int> wanted)
    {
        using SafetensorsFile opened = SafetensorsFile.Open(file);
        int[] indices = Indices(opened, tuning);
        using DisposeScope scope = NewDisposeScope();
        Tensor rows = tensor(wanted.Select(w => (long)Array.IndexOf(indices, w)).ToArray());
        Dictionary<string, (Tensor, Tensor)> factors = [];
        foreach (string module in opened.Entries.Keys.Where(n => n.EndsWith(SuffixA, StringComparison.Ordinal)).Select(n => n[..^SuffixA.Length]))
        {
            factors.Add(module, (Read(module + SuffixA), Read(module + SuffixB)));
        }
        return new SubjectGroup(wanted, factors);

        Tensor Read(string name)
        {
            TensorEntry entry = opened.Entry(name);
            return entry.Shape.Length == 3 && entry.Shape[0] == indices.Length
                ? opened.Read(name).index_select(0, rows).DetachFromDisposeScope()
                : throw new SafetensorsException(file, name, $"factors of {indices.Length} subjects", $"{entry}");
        }
    }

    public void Dispose()
    {
        foreach ((Tensor a, Tensor b) in Factors.Values)
        {
            a.Dispose();
            b.Dispose();
        }
    }

    private static Tensor Copy(Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        return tensor.detach().to(CPU, copy: true).DetachFromDisposeScope();
    }

    private static int[] Indices(SafetensorsFile file, string tuning)
    {
        string found = file.Metadata.GetValueOrDefault(TuningKey, "nothing about it");
        if (found != tuning)
        {
            throw new WeightsException(file.Path, $"subjects tuned with '{tuning}'", $"'{found}'. Delete the file to tune them again");
        }
        TensorEntry entry = file.Entry(Subjects);
        if (entry.Shape.Length != 1 || entry.DType != "I64")
        {
            throw new SafetensorsException(file.Path, Subjects, "whole numbers [subjects]", $"{entry}");
        }
        using Tensor indices = file.Read(Subjects);
        return [.. indices.data<long>().Select(i => (int)i)];
    }
}
