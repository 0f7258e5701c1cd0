namespace Dsd.Tools.Loop;

/// <summary>A kind of stage: which command does it, and what it takes from the stages before it where its section says nothing.</summary>
/// <param name="Name">The section's name in the file.</param>
/// <param name="Command">The command, a word each.</param>
/// <param name="Shared">Keys outside of sections that count for it.</param>
internal sealed record LoopSection(string Name, string[] Command, params string[] Shared)
{
    /// <summary>The option that names where the result goes.</summary>
    public const string Out = "out";

    /// <summary>The key that stands for an argument without a name.</summary>
    public string? Argument { get; init; }

    /// <summary>The file in the stage's folder that is its result; null is the folder.</summary>
    public string? ResultFile { get; init; }

    /// <summary>When the stage goes on in the folder that an earlier call left.</summary>
    public LoopResume Resume { get; init; }

    /// <summary>Whether the command has '--overwrite', which a stage that was cut off takes where its earlier result is there.</summary>
    public bool HasOverwrite { get; init; }

    private static readonly string[] OwnLayouts = ["dreambench", "omnicontext", "osbench", "vistory"];

    /// <summary>All kinds, in the order in which they run.</summary>
    public static IReadOnlyList<LoopSection> All { get; } =
    [
        new("encoders", ["export"]) { HasOverwrite = true },
        new("curate", ["curate", "run"], "model", "device") { Resume = LoopResume.Always },
        new("dataset", ["dataset", "write"]) { Argument = "run", HasOverwrite = true },
        new("train", ["train"], "model", "device") { ResultFile = "pytorch_lora_weights.safetensors", Resume = LoopResume.SameInputs },
        new("export", ["export"], "model") { HasOverwrite = true },
        new("generate", ["generate"], "model", "device"),
        new("evaluate", ["evaluate"]) { Resume = LoopResume.Always },
    ];

    /// <summary>What a stage takes from others, as pairs of a key and where its value comes from. Keys that the section gives are left as they are.</summary>
    /// <param name="given">Whether the section gives a key.</param>
    /// <param name="others">The stages before it.</param>
    public IEnumerable<(string Key, string Path)> Wires(Func<string, bool> given, IReadOnlyList<LoopStage> others)
    {
        string? Of(string section) => others.FirstOrDefault(s => s.Section.Name == section)?.Result;
        (string Key, string? Path)[] wires = Name switch
        {
            "dataset" => [("run", Of("curate"))],
            "train" => [("pairs", Of("dataset"))],
            "export" => [("lora", Of("train"))],
            "generate" when !given("model") && (given("onnx") || Of("export") is not null) => [("onnx", Of("export"))],
            "generate" => [("lora", Of("train"))],
            // A benchmark's pictures lie in its own layout, which is not that of the stage before.
            "evaluate" when !OwnLayouts.Any(given) =>
            [
                ("generated", Path.GetDirectoryName(Of("generate"))),
                .. others.Where(s => s.Section.Name == "encoders").Select(s => ("encoders", (string?)s.Result)),
            ],
            _ => [],
        };
        return wires.Where(w => w.Path is not null && !given(w.Key)).Select(w => (w.Key, w.Path!));
    }

    /// <summary>Where a stage's result goes, in the folder of the whole run, where its section does not say.</summary>
    /// <param name="number">Which of several parts, from 1; 0 for a section that is no list.</param>
    public string DefaultOut(int number) => Name == "generate"
        ? Path.Combine(Name, number == 0 ? "picture.png" : $"{number}.png")
        : number == 0 ? Name : $"{Name}-{number}";
}
