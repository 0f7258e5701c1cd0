using Dsd.Common.Files;

namespace Dsd.Tools.Commands;

/// <summary>The folder that a command writes ONNX models into.</summary>
internal static class OnnxTarget
{
    /// <summary>Refuses a folder that cannot be written, or that is not empty and may not be replaced, before anything is computed.</summary>
    /// <exception cref="IOException">It is one of them.</exception>
    public static void Require(string folder, bool overwrite)
    {
        if (!overwrite && Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new IOException(
                $"Cannot write the ONNX folder '{folder}': it is not empty. Choose another folder, or add '--overwrite' if it holds an earlier export.");
        }
        WritablePlace.RequireMovedFolder(folder);
    }
}
