using System.Collections.Concurrent;
using Dsd.Evaluation.Encoders;
using Dsd.Testing;

namespace Dsd.MLNet.Tests.Evaluation;

/// <summary>The small encoders with random weights, exported once beside the tests: by the names of their folders.</summary>
internal static class TestEncoders
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> Exported = new();

    /// <summary>All of them.</summary>
    public static TheoryData<string> Names => ["clip", "dino", "dinov2", "csd"];

    /// <summary>The folder of an exported encoder.</summary>
    public static string Folder(string name) => Exported.GetOrAdd(name, _ => new Lazy<string>(() =>
    {
        string target = Path.Combine(AppContext.BaseDirectory, "encoders", name);
        string source = Path.Combine(Fixtures.Repository, "tests", "fixtures-eval", name);
        EncoderExporter.Export(source, target, new EncoderExportOptions { Heads = name == "csd" ? 4 : null, Overwrite = true });
        return target;
    })).Value;
}
