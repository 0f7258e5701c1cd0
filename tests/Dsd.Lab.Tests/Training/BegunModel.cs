using Dsd.Testing;

namespace Dsd.Lab.Tests.Training;

/// <summary>A model that has its tokenizers and its autoencoder, trained once for all tests that go on from there.</summary>
public sealed class BegunModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _model;

    public BegunModel() => _model = TinyTrainingTests.Train(_folder, ["tokenizers", "vae"], TinyTrainingTests.Config, out _);

    public void Dispose() => _folder.Dispose();

    /// <summary>A copy of it in a folder, which training goes on with.</summary>
    internal string CopyInto(TemporaryFolder folder, string name = "model")
    {
        string model = folder.File(name);
        foreach (string file in Directory.EnumerateFiles(_model, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(model, Path.GetRelativePath(_model, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return model;
    }
}

/// <summary>Tests that draw torch's random numbers, which are the process's, one after the other.</summary>
[CollectionDefinition("Torch's random numbers")]
public sealed class TorchsRandomNumbers : ICollectionFixture<BegunModel>;
