using System.Globalization;
using Spectre.Console;

namespace Dsd.Tools.Inspect;

/// <summary>Reports as text, with a bound on how much of it there is.</summary>
/// <param name="console">Where the text goes.</param>
internal sealed class ReportPrinter(IAnsiConsole console)
{
    /// <summary>Rows of a table at most, unless everything was asked for.</summary>
    public const int MaxRows = 120;

    private const int MaxText = 160;

    /// <summary>Prints what is in a file.</summary>
    /// <param name="report">The report.</param>
    /// <param name="all">Print every row.</param>
    public void Print(WeightsReport report, bool all)
    {
        Line($"{report.Path}: {report.Description}");
        Line($"{report.TensorCount} tensors, {Printable.Count(report.Parameters)} parameters ({report.Parameters}), {Printable.Bytes(report.Bytes)}: "
            + $"{TypesOf(report)}");
        Values("sizes", report.Facts);
        Print(report.Lora);
        Values("metadata", report.Metadata.ToDictionary(m => m.Key, m => (object)m.Value));
        Warnings("", report.Warnings);
        console.WriteLine();
        Print(report.Tensors, all);
    }

    /// <summary>Prints what is in a model folder.</summary>
    public void Print(FolderReport report)
    {
        Line($"{report.Path}: {(report.Pipeline is null ? "components of a model" : $"pipeline {report.Pipeline}")}, "
            + $"{Printable.Count(report.Parameters)} parameters, {Printable.Bytes(report.Bytes)}");
        if (report.Components.Length > 0)
        {
            console.WriteLine();
            Print(report.Components);
        }
        foreach (WeightsReport file in report.Files)
        {
            Line($"{System.IO.Path.GetFileName(file.Path)}: {file.Description}, {Printable.Count(file.Parameters)} parameters, {Printable.Bytes(file.Bytes)}");
            Print(file.Lora);
            Warnings(System.IO.Path.GetFileName(file.Path), file.Warnings);
        }
        Warnings("", report.Warnings);
        foreach (ComponentReport component in report.Components)
        {
            Warnings(component.Name, component.Warnings);
        }
    }

    /// <summary>Prints what is in a folder of ONNX models.</summary>
    public void Print(OnnxFolderReport report)
    {
        string what = report.Manifest == OnnxFolderReader.EncoderManifest ? "an encoder that pictures are measured with, " : "";
        Line($"{report.Path}: {what}{report.Models.Length} ONNX models, {Printable.Count(report.Parameters)} parameters, {Printable.Bytes(report.Bytes)}");
        Values("settings", report.Settings);
        Values("source", report.Source);
        Values("adapters", report.Adapters);
        Values("pictures", report.Preprocessing);
        if (report.Verified is { } verified)
        {
            Line($"verified: {verified.Files} files of {Printable.Bytes(verified.Bytes)} have the lengths and SHA-256 that "
                + $"{report.Manifest} says, and {verified.Tensors} weights beside their models the places that their shapes ask for");
        }
        Warnings("", report.Warnings);
        foreach (OnnxModelReport model in report.Models)
        {
            console.WriteLine();
            Print(model);
        }
    }

    /// <summary>Prints what an ONNX model takes and gives.</summary>
    public void Print(OnnxModelReport report)
    {
        Line($"{report.Path}: opset {report.Opset}, {report.Nodes} operators, {Printable.Count(report.Parameters)} parameters, "
            + $"{Printable.Bytes(report.Bytes)}");
        Values("metadata", report.Metadata.ToDictionary(m => m.Key, m => (object)m.Value));
        Values("operators", report.Operators.ToDictionary(o => o.Key, o => (object)$"×{o.Value}"));
        Table table = NewTable("", "", "", "");
        foreach ((string direction, OnnxValue value) in report.Inputs.Select(v => ("in", v)).Concat(report.Outputs.Select(v => ("out", v))).Take(MaxRows))
        {
            table.AddRow(Cell($"  {direction}"), Cell(value.Name), Cell(value.DType), Cell($"[{string.Join(", ", value.Shape)}]"));
        }
        console.Write(table);
        Warnings("", report.Warnings);
    }

    private void Print(ComponentReport[] components)
    {
        Table table = NewTable("component", "class", "weights", "parameters", "size", "types");
        foreach (ComponentReport component in components)
        {
            WeightsReport? weights = component.Weights;
            table.AddRow(
                Cell(component.Name.Length == 0 ? "." : component.Name),
                Cell(component.ClassName ?? "–"),
                Cell(weights?.Kind ?? "–"),
                Cell(weights is null ? "–" : Printable.Count(weights.Parameters)),
                Cell(weights is null ? "–" : Printable.Bytes(weights.Bytes)),
                Cell(weights is null ? "–" : string.Join(", ", weights.Types.Keys)));
        }
        console.Write(table);
        foreach (ComponentReport component in components.Where(c => c.Weights is { Facts.Count: > 0 }))
        {
            Values(component.Name.Length == 0 ? "sizes" : component.Name, component.Weights!.Facts);
        }
    }

    private void Print(LoraSummary? lora)
    {
        if (lora is not null)
        {
            string alpha = lora.Alphas.Length > 0
                ? string.Join(", ", lora.Alphas.Take(8).Select(a => a.ToString(CultureInfo.InvariantCulture)))
                : "not stated, so the rank";
            Line($"adapter: {lora.Pairs} layers, rank {string.Join(", ", lora.Ranks.Take(8))}, alpha {alpha}");
            if (lora.TextTensors > 0)
            {
                Line($"text encoders: {lora.TextTensors} tensors, {lora.ClipPairs} layers of CLIP among them; '--lora-text' says what becomes of them");
            }
            Line($"loads here: {lora.Loads}");
            Values("targets", lora.Targets.ToDictionary(t => t.Key, t => (object)$"×{t.Value}"));
            if (lora.WholeTensors.Length > 0)
            {
                string more = lora.WholeTensors.Length > 8 ? $" and {lora.WholeTensors.Length - 8} more" : "";
                Line($"whole tensors: {string.Join(", ", lora.WholeTensors.Take(8))}{more}");
            }
        }
    }

    private void Print(TensorGroup[] groups, bool all)
    {
        Table table = NewTable("", "", "", "");
        foreach (TensorGroup group in all ? groups : groups.Take(MaxRows))
        {
            table.AddRow(
                Cell(group.Names),
                Cell(group.DType),
                Cell($"[{string.Join(", ", group.Shape)}]"),
                Cell(group.Count == 1 ? "" : $"×{group.Count}"));
        }
        console.Write(table);
        if (!all && groups.Length > MaxRows)
        {
            Line($"… and {groups.Length - MaxRows} rows more: --all lists each tensor.");
        }
    }

    private void Warnings(string where, string[] warnings)
    {
        foreach (string warning in warnings.Take(MaxRows))
        {
            Line($"warning: {(where.Length == 0 ? "" : $"{where}: ")}{warning}", 2 * MaxText);
        }
        if (warnings.Length > MaxRows)
        {
            Line($"warning: … and {warnings.Length - MaxRows} more");
        }
    }

    private void Values(string title, IReadOnlyDictionary<string, object> values)
    {
        if (values.Count > 0)
        {
            string rest = values.Count > 40 ? $" · and {values.Count - 40} more" : "";
            Line($"{title}: {string.Join(" · ", values.Take(40).Select(v => Printable.Line($"{v.Key} {Text(v.Value)}", MaxText)))}{rest}");
        }
    }

    private void Line(string text, int maxLength = 8000) => console.Write(new Text(Printable.Line(text, maxLength) + "\n"));

    private static Table NewTable(params string[] columns)
    {
        Table table = new Table().Border(TableBorder.None);
        table.ShowHeaders = columns.Any(c => c.Length > 0);
        foreach (string column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column)).PadLeft(0).PadRight(2));
        }
        return table;
    }

    private static Text Cell(string text) => new(Printable.Line(text, MaxText));

    private static string TypesOf(WeightsReport report) =>
        string.Join(", ", report.Types.Select(d => report.Types.Count == 1 ? d.Key : $"{d.Key} ×{d.Value.Tensors}"));

    private static string Text(object value) => value switch
    {
        bool b => b ? "yes" : "no",
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
