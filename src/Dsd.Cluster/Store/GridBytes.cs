using Dsd.Imaging;

namespace Dsd.Cluster.Store;

/// <summary>Sheets as they travel: PNG, of bounded size.</summary>
internal static class SheetBytes
{
    public static byte[] Of(string promptId, Picture sheet, CurationClusterOptions options) => Checked(promptId, sheet.EncodePng(), options);

    /// <exception cref="ArgumentException">They are too many.</exception>
    public static byte[] Checked(string promptId, byte[] png, CurationClusterOptions options) =>
        png.Length <= options.MaxSheetBytes
            ? png
            : throw new ArgumentException($"Sheet '{promptId}' has {png.Length} bytes as PNG; at most {options.MaxSheetBytes} are sent. Raise option {nameof(options.MaxSheetBytes)} in all processes, or draw smaller sheets.");
}
