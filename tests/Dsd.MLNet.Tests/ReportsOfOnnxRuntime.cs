namespace Dsd.MLNet.Tests;

/// <summary>Where a program can leave what ONNX Runtime's reports would: docs/decisions/onnx-runtime-telemetry.md.</summary>
internal static class ReportsOfOnnxRuntime
{
    // ONNX Runtime reports nothing where one of these is set, whatever it is told: a test in CI would not see what a user gets.
    private static readonly string[] _namesOfCi =
    [
        "CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "TRAVIS", "JENKINS_URL", "CODEBUILD_BUILD_ID", "BUILDKITE", "TEAMCITY_VERSION",
        "APPVEYOR", "BITBUCKET_BUILD_NUMBER",
    ];

    /// <param name="folder">Gets an empty home and an empty temporary folder.</param>
    /// <param name="wanted">What <c>ORT_DISABLE_TELEMETRY</c> says; null leaves it unset.</param>
    /// <returns>Environment variables with which a program reports as it would on a user's machine; null takes one away.</returns>
    public static Dictionary<string, string?> AsOnAUsersMachine(string folder, string? wanted = null)
    {
        Dictionary<string, string?> settings = Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("XDG_", StringComparison.Ordinal))
            .Concat(_namesOfCi)
            .ToDictionary(name => name, _ => (string?)null);
        settings["ORT_DISABLE_TELEMETRY"] = wanted;
        foreach (string name in new[] { "TMPDIR", "HOME" })
        {
            settings[name] = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        }
        return settings;
    }

    /// <returns>The files that a program with these settings has left.</returns>
    public static string[] TracesIn(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f))];
}
