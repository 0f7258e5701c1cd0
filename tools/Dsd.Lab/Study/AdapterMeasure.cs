using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Onnx.Runtime;
using Dsd.Tiny.Classifier;

namespace Dsd.Lab.Study;

/// <summary>Draws the study's cases with adapters that were trained anywhere, or with exported models, and counts what came out as the study does.</summary>
internal static class AdapterMeasure
{
    /// <summary>Measures each adapter and writes <c>measure.md</c>, <c>measure.json</c> and a sheet of pictures for each.</summary>
    /// <remarks>Files are written after each adapter. Nothing that lies in the folder is read: an adapter's file may have changed.</remarks>
    /// <param name="options">Which adapters, with which model, where, on how many cases.</param>
    /// <param name="log">Gets a line for each part that is drawn and for each adapter.</param>
    /// <param name="cancellationToken">Checked before each sampling step.</param>
    /// <returns>The report as written.</returns>
    /// <exception cref="DirectoryNotFoundException">The model has no classifier; the message says how to train one.</exception>
    /// <exception cref="System.Text.Json.JsonException">The config is none.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    /// <exception cref="Dsd.Models.Weights.WeightsException">An adapter does not fit the model; found before anything is drawn.</exception>
    /// <exception cref="NotSupportedException">An exported model is to be drawn where ONNX Runtime cannot; found before anything is drawn.</exception>
    public static AdapterReport Run(AdapterMeasureOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        StudyConfig config = StudyConfig.Load(options.ConfigFile ?? StudyConfig.DefaultFile);
        config = options.Subjects is { } subjects ? config with { Subjects = subjects } : config;
        StudyContext context = new(config, options.OutFolder, options.ModelFolder, [options.Device], log, cancellationToken)
        {
            PanelSize = options.PanelSize,
        };
        string[] files = options.AdapterFiles.Count > 0 ? [.. options.AdapterFiles] : [TinyFiles.AdapterFile(options.ModelFolder)];
        ModelLoading.AllowTf32();
        using AttributeClassifier classifier = context.OpenClassifier();
        OnnxRuntimeOptions onnx = options.Onnx with { Warn = context.Log };
        // All before the first is drawn: an adapter that fits no longer should show now, not after hours.
        if (files.Any(Directory.Exists))
        {
            OnnxPipeline.RequireProvider(onnx);
        }
        foreach (string file in files)
        {
            Open(context, onnx, file).Dispose();
        }

        IReadOnlyList<StudyCase> cases = context.Cases();
        SystemResult? first = null;
        List<AdapterResult> results = [];
        foreach ((int i, string file) in files.Index())
        {
            IReadOnlyList<Picture> pictures = Draw(context, onnx, file, cases);
            string sheet = $"sheets/{i + 1}.png";
            StudyReport.Sheet(cases, pictures, config.Prompts).Save(Path.Combine(options.OutFolder, sheet));
            SystemResult result = SystemMeasure.Of(file, cases, pictures, pairs: null, drawn: 0, classifier);
            results.Add(AdapterResult.Of(result, sheet, first));
            first ??= result;
            AdapterReport.Of(context, results).Save(options.OutFolder);
            log($"{file}: {result.Scores}");
        }
        return AdapterReport.Of(context, results);
    }

    private static IReadOnlyList<Picture> Draw(StudyContext context, OnnxRuntimeOptions onnx, string file, IReadOnlyList<StudyCase> cases)
    {
        using IStudyGenerator generator = Open(context, onnx, file);
        return StudyDrawing.Anew(context, file, cases, generator);
    }

    private static IStudyGenerator Open(StudyContext context, OnnxRuntimeOptions onnx, string file) =>
        Directory.Exists(file) ? DsdSystem.OpenExported(file, onnx, context.Sampling, context.Log)
            : DsdSystem.Open(context.ModelFolder, context.Device, file, context.Sampling);
}
