namespace Dsd.Models.Acceleration;

/// <summary>The CUDA sources within this assembly.</summary>
internal static class KernelSource
{
    /// <summary>The text of one.</summary>
    public static string Text(string name)
    {
        using Stream stream = typeof(KernelSource).Assembly.GetManifestResourceStream($"Dsd.Models.Acceleration.{name}")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
