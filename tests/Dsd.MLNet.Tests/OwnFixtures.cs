using Dsd.Testing;

namespace Dsd.MLNet.Tests;

/// <summary>The repository's own small models, whatever DSD_FIXTURES says: the sizes in these tests are theirs.</summary>
internal static class OwnFixtures
{
    /// <summary>A pipeline folder with random weights.</summary>
    public static string TinyFlux => Folder("tiny-flux");

    /// <summary>A release folder with random weights.</summary>
    public static string TinyDsd => Folder("tiny-dsd");

    private static string Folder(string name) => Path.Combine(Fixtures.Repository, "tests", "fixtures", name);
}
