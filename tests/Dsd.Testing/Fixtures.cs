using Dsd.Models.Native;
using Dsd.Models.Weights;
using static TorchSharp.torch;

namespace Dsd.Testing;

/// <summary>The reference outputs that parity tests compare with.</summary>
public static class Fixtures
{
    /// <summary>The folder named by <c>DSD_FIXTURES</c>, or the repository's own <c>tests/fixtures</c>.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("DSD_FIXTURES") is { Length: > 0 } given
        ? System.IO.Path.GetFullPath(given)
        : Own();

    /// <summary>The folder that holds the solution.</summary>
    public static string Repository
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(System.IO.Path.Combine(folder.FullName, "Dsd.MLNet.sln")))
                {
                    return folder.FullName;
                }
            }
            throw new DirectoryNotFoundException(
                $"No folder above '{AppContext.BaseDirectory}' holds Dsd.MLNet.sln. Set DSD_FIXTURES to the fixtures' folder.");
        }
    }

    /// <summary>A path inside the fixtures' folder.</summary>
    public static string Path(params string[] parts) => System.IO.Path.Combine([Folder, .. parts]);

    /// <summary>A path inside the repository's own fixtures, whatever <c>DSD_FIXTURES</c> says: for tests that know what these files hold.</summary>
    public static string Own(params string[] parts) => System.IO.Path.Combine([Repository, "tests", "fixtures", .. parts]);

    /// <summary>All tensors of a safetensors file of the fixtures.</summary>
    public static TensorDictionary Tensors(params string[] parts)
    {
        TorchLibrary.Register();
        using SafetensorsFile file = SafetensorsFile.Open(Path(parts));
        TensorDictionary tensors = [];
        foreach (string name in file.Entries.Keys)
        {
            Tensor tensor = file.Read(name);
            tensors.Add(name, tensor.DetachFromDisposeScope());
        }
        return tensors;
    }
}
