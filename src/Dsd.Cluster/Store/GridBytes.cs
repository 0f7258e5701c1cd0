using Dsd.Imaging;

namespace Dsd.Cluster.Store;

/// <summary>Grids as they travel: PNG, of bounded size.</summary>
internal static class GridBytes
{
    public static byte[] Of(string promptId, Picture grid, CurationClusterOptions options) => Checked(promptId, grid.EncodePng(), options);

    /// <exception cref="ArgumentException">They are too many.</exception>
    public static byte[] Checked(string promptId, byte[] png, CurationClusterOptions options) =>
        png.Length <= options.MaxGridBytes
            ? png
            : throw new ArgumentException(
                $"Grid '{promptId}' has {png.Length} bytes as PNG; at most {options.MaxGridBytes} are sent. "
                + $"Raise option {nameof(options.MaxGridBytes)} in all processes, or draw smaller grids.");
}
