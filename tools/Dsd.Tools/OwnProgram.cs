using System.Diagnostics;

namespace Dsd.Tools;

/// <summary>This program, to be started once more.</summary>
internal static class OwnProgram
{
    /// <summary>What starts it with these arguments.</summary>
    public static ProcessStartInfo Start(IEnumerable<string> arguments)
    {
        string library = typeof(OwnProgram).Assembly.Location;
        // Published as one file there is only the program itself.
        return library.Length == 0
            ? new ProcessStartInfo(Environment.ProcessPath!, arguments)
            : new ProcessStartInfo("dotnet", ["exec", library, .. arguments]);
    }
}
