using System.CommandLine;

namespace Dsd.Tools.Loop;

/// <summary>The commands that a file asks for, each checked by the parser of the command line before the first is run.</summary>
internal sealed class LoopPlan
{
    // Paths of these options are written, or may be there or not.
    private static readonly string[] NotRead = [LoopSection.Out, "cache"];

    private static readonly string[] SharedKeys = [LoopSection.Out, "model", "device"];

    // Paths that begin so lie in the folder of the whole run.
    private const string InOut = "$out/";

    private readonly LoopFile _file;
    private readonly CommandProgram _program;
    private readonly List<LoopStage> _stages = [];

    private LoopPlan(LoopFile file, CommandProgram program)
    {
        (_file, _program) = (file, program);
        if (file.Shared.FirstOrDefault(k => !SharedKeys.Contains(k.Name)) is { } unknown)
        {
            throw file.Fault(
                unknown.Line, $"there is no '{unknown.Name}' outside of a section. Known there are {string.Join(", ", SharedKeys)}; sections are "
                    + $"{string.Join(", ", LoopSection.All.Select(s => s.Name))}.");
        }
        LoopKey root = file.Shared.FirstOrDefault(k => k.Name == LoopSection.Out)
            ?? throw file.Fault(1, $"'{LoopSection.Out}' is missing: the folder for all results.");
        Root = Beside(root.Values[0], root.Line);
    }

    /// <summary>The folder of all results.</summary>
    public string Root { get; }

    /// <summary>The stages, in the order in which they run.</summary>
    public IReadOnlyList<LoopStage> Stages => _stages;

    /// <summary>Reads a file and checks it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="program">The program whose commands it names.</param>
    /// <exception cref="UsageException">A section, key or value is wrong; the message names its place.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LoopPlan Open(string path, CommandProgram program)
    {
        LoopFile file = LoopFile.Open(path);
        LoopPlan plan = new(file, program);
        foreach ((string name, int line, _) in file.Sections)
        {
            if (LoopSection.All.All(s => s.Name != name))
            {
                throw file.Fault(line, $"there is no section '{name}'. Known are {string.Join(", ", LoopSection.All.Select(s => s.Name))}.");
            }
        }
        foreach (LoopSection section in LoopSection.All)
        {
            (string Name, int Line, List<LoopKey> Keys)[] parts = [.. file.Sections.Where(s => s.Name == section.Name)];
            for (int i = 0; i < parts.Length; i++)
            {
                plan._stages.Add(plan.Stage(section, parts.Length == 1 ? 0 : i + 1, parts[i].Line, parts[i].Keys));
            }
        }
        if (plan._stages.Count == 0)
        {
            throw file.Fault(1, $"there is no section. Known are {string.Join(", ", LoopSection.All.Select(s => s.Name))}.");
        }
        foreach (LoopStage stage in plan._stages)
        {
            if (plan._stages.FirstOrDefault(s => s != stage && s.Out == stage.Out) is { } same)
            {
                throw new UsageException($"'{path}': stages '{stage.Name}' and '{same.Name}' write to the same place, '{stage.Out}'.");
            }
        }
        return plan;
    }

    private LoopStage Stage(LoopSection section, int number, int line, List<LoopKey> keys)
    {
        string name = number == 0 ? section.Name : $"{section.Name}-{number}";
        Command command = _program.Find(section.Command);
        Dictionary<string, Option> options = command.Options.Where(o => !o.Hidden && o.Name != "--json").ToDictionary(o => o.Name.TrimStart('-'));
        List<LoopKey> all = [.. keys];
        bool Given(string key) => all.Any(k => k.Name == key);
        foreach ((string key, string path) in section.Wires(Given, _stages).ToArray())
        {
            all.Add(new LoopKey(key, 0, [path], IsList: false));
        }
        if (!Given(LoopSection.Out))
        {
            all.Add(new LoopKey(LoopSection.Out, 0, [Path.Combine(Root, section.DefaultOut(number))], IsList: false));
        }
        // An exported model is one already.
        all.AddRange(_file.Shared.Where(k => section.Shared.Contains(k.Name) && !Given(k.Name) && !(k.Name == "model" && Given("onnx"))));
        List<(string? Option, string Value, bool IsPath, LoopKey Key)> parts = [];
        foreach (LoopKey key in all)
        {
            if (key.Name == section.Argument)
            {
                parts.Add((null, Single(key, name), true, key));
                continue;
            }
            if (!options.TryGetValue(key.Name, out Option? option))
            {
                throw Fault(
                    key.Line, name, key.Name, $"there is no such key. Known are {string.Join(", ", options.Keys.Append(section.Argument).Order())}.");
            }
            if (option is Option<bool>)
            {
                string value = Single(key, name);
                if (value is not (LoopKey.Yes or LoopKey.No))
                {
                    throw Fault(key.Line, name, key.Name, $"it is a switch, true or false, but is '{Printable.Line(value, 60)}'.");
                }
                if (value == LoopKey.Yes)
                {
                    parts.Add((option.Name, "", false, key));
                }
                continue;
            }
            if (option.Arity.MaximumNumberOfValues == 1)
            {
                Single(key, name);
            }
            parts.AddRange(key.Values.Select(value => ((string?)option.Name, value, LoopPaths.IsPath(option, value), key)));
        }
        if (section.Argument is { } argument && !Given(argument))
        {
            throw _file.Fault(line, $"section '{name}': key '{argument}' is missing, and no stage before it gives one.");
        }
        List<string> inputs = [];
        List<string> arguments = [.. section.Command], written = [.. section.Command];
        string? target = null;
        foreach ((string? option, string value, bool isPath, LoopKey key) in parts)
        {
            if (option is not null)
            {
                arguments.Add(option);
                written.Add(option);
            }
            if (option is not null && value.Length == 0 && options[key.Name] is Option<bool>)
            {
                continue;
            }
            string place = isPath ? Beside(value, key.Line) : value;
            arguments.Add(place);
            written.Add(isPath ? Path.GetRelativePath(_file.Folder, Path.GetFullPath(place)) : value);
            if (key.Name == LoopSection.Out)
            {
                target = place;
            }
            else if (isPath && !NotRead.Contains(key.Name))
            {
                inputs.Add(LoopPaths.WithoutStrength(place));
            }
        }
        Check(name, line, arguments, all);
        foreach (string input in inputs.Where(i => !Path.Exists(i) && !IsBelow(Root, i)))
        {
            LoopKey at = parts.First(p => p.IsPath && LoopPaths.WithoutStrength(Beside(p.Value, p.Key.Line)) == input).Key;
            throw Fault(at.Line, name, at.Name, $"expected a file or folder, found nothing at '{input}'.");
        }
        return new LoopStage { Name = name, Section = section, Arguments = arguments, Written = written, Inputs = inputs, Out = target! };
    }

    private void Check(string name, int line, List<string> arguments, List<LoopKey> keys)
    {
        IReadOnlyList<(string? Option, string Message)> faults = _program.Check(arguments);
        if (faults.Count == 0)
        {
            return;
        }
        (string? option, string message) = faults[0];
        LoopKey? key = keys.FirstOrDefault(k => $"--{k.Name}" == option);
        throw key is null
            ? _file.Fault(line, $"section '{name}': {message}")
            : Fault(key.Line, name, key.Name, message);
    }

    private string Single(LoopKey key, string section) => key.Values.Count == 1 && !key.IsList
        ? key.Values[0]
        : throw Fault(key.Line, section, key.Name, "it takes one value, and a list was given.");

    private UsageException Fault(int line, string section, string key, string what) => _file.Fault(line, $"section '{section}', key '{key}': {what}");

    /// <summary>A path of the file, as it is opened: relative to the current folder where it lies in it.</summary>
    private string Beside(string path, int line)
    {
        if (path.Trim().Length == 0)
        {
            throw _file.Fault(line, "a path is empty.");
        }
        string whole = Path.GetFullPath(path.StartsWith(InOut, StringComparison.Ordinal)
            ? Path.Combine(Root, path[InOut.Length..])
            : line == 0 ? path : Path.Combine(_file.Folder, path));
        string current = Directory.GetCurrentDirectory();
        return IsBelow(current, whole) ? Path.GetRelativePath(current, whole) : whole;
    }

    private static bool IsBelow(string folder, string path)
    {
        string relative = Path.GetRelativePath(folder, path);
        return relative != "." && !Path.IsPathRooted(relative) && relative.Split(Path.DirectorySeparatorChar)[0] != "..";
    }
}
