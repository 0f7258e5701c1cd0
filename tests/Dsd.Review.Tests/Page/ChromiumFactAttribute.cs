namespace Dsd.Review.Tests.Page;

/// <summary>A test that drives Chromium; where there is none it is skipped and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute() =>
        Skip = Chromium is null
            ? "Needs Chromium: install Debian's (apt-get install chromium), or name its program in the environment variable DSD_CHROMIUM."
            : null;

    /// <summary>Chromium's program; null where none is found.</summary>
    public static string? Chromium { get; } =
        new[] { Environment.GetEnvironmentVariable("DSD_CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(
            File.Exists);
}
