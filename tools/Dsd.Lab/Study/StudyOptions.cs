using Dsd.Tiny;

namespace Dsd.Lab.Study;

/// <summary>With which model, where, on what, how long and how far the study is run.</summary>
internal sealed record StudyOptions
{
    /// <summary>The folder for grids, systems and results. A study that was begun in it continues.</summary>
    public required string OutFolder { get; init; }

    /// <summary>The teacher's folder, with its judge and classifier. Default the embedded model's.</summary>
    public string ModelFolder { get; init; } = TinyModel.Folder;

    /// <summary>
    /// <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>; several with commas between share the drawing of the grids, and all else is done on the first. Default
    /// <c>cpu</c>.
    /// </summary>
    public string Device
    {
        get;
        init => field = value.Split(',').All(DeviceOption.IsName)
            ? value
            : throw new ArgumentException(
                $"Option {nameof(Device)} must be cpu, cuda or cuda:N, or several with commas between, but is '{value}'.", nameof(Device));
    } = "cpu";

    /// <summary>Time after which the state is written and the study stops; null, the default, is none.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>A config file, or null, the default, for the full size.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>A seed in place of the config's; null, the default, keeps that.</summary>
    public long? Seed { get; init; }

    /// <summary>
    /// Parts to do, out of <see cref="TinyStudy.PartNames"/>; no report is written then. Empty, the default: all, and the report.
    /// Several processes may do different parts in one folder once the grids are there.
    /// </summary>
    public IReadOnlyList<string> Only { get; init; } = [];
}
