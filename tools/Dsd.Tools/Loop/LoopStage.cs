namespace Dsd.Tools.Loop;

/// <summary>One command of a run.</summary>
internal sealed record LoopStage
{
    /// <summary>Its name: the section's, with a number behind it where the section is a list.</summary>
    public required string Name { get; init; }

    /// <summary>Its kind.</summary>
    public required LoopSection Section { get; init; }

    /// <summary>The command line, without the program's name. Paths are those to be opened.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The same with paths as the file's folder has them, which stay the same wherever the command is called.</summary>
    public required IReadOnlyList<string> Written { get; init; }

    /// <summary>Files and folders that it reads.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>The file or folder that it writes.</summary>
    public required string Out { get; init; }

    /// <summary>What later stages take of it.</summary>
    public string Result => Section.ResultFile is { } file ? Path.Combine(Out, file) : Out;

    /// <summary>Whether it reads what another stage writes.</summary>
    public bool Reads(LoopStage other) => Inputs.Any(input => Holds(input, other.Out) || Holds(other.Out, input));

    private static bool Holds(string folder, string path)
    {
        string relative = Path.GetRelativePath(folder, path);
        return relative == "." || (!Path.IsPathRooted(relative) && relative.Split(Path.DirectorySeparatorChar)[0] != "..");
    }
}
