using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny.World;

namespace Dsd.Evaluation.Tests.Running;

/// <summary>Folders of the embedded world's pictures: references by category, and systems that are as good or bad as is wanted.</summary>
internal sealed class WorldFolders : IDisposable
{
    private const int Side = 64;
    private readonly TemporaryFolder _folder = new();

    /// <summary>References of so many subjects, half of them in each of two categories.</summary>
    public WorldFolders(int subjects = 12)
    {
        WorldRandom random = new(3);
        Pictures = [.. WorldSampler.Subjects(7).Take(subjects).Select(s => Renderer.Draw(s, WorldSampler.SampleContext(random), Side))];
        for (int i = 0; i < subjects; i++)
        {
            Pictures[i].Save(Path.Combine(References, $"{Name(i)}.png"));
        }
    }

    /// <summary>The references.</summary>
    public IReadOnlyList<Picture> Pictures { get; }

    public string References => _folder.File("references");

    /// <summary>Prompts of all subjects, as a file.</summary>
    public string Prompts
    {
        get
        {
            string file = _folder.File("prompts.json");
            File.WriteAllText(file, $"{{{string.Join(',', Enumerable.Range(0, Pictures.Count).Select(i => $"\"{Name(i)}\":\"creature {i} <b>\""))}}}");
            return file;
        }
    }

    /// <summary>A subject's name with its category's.</summary>
    public static string Name(int subject) => $"{(subject % 2 == 0 ? "even" : "odd")}/subject{subject:00}";

    public string At(string name) => _folder.File(name);

    /// <summary>A system that has two pictures of each subject: those of the reference so many places on.</summary>
    public string Shifted(string name, int shift)
    {
        string folder = _folder.File(name);
        for (int i = 0; i < Pictures.Count; i++)
        {
            for (int n = 0; n < 2; n++)
            {
                Pictures[(i + shift * (n + 1)) % Pictures.Count].Save(Path.Combine(folder, Name(i), $"{n}.png"));
            }
        }
        return folder;
    }

    public void Dispose() => _folder.Dispose();
}
