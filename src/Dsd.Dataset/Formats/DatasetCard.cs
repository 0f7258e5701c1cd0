using System.Globalization;
using System.Text;

namespace Dsd.Dataset.Formats;

/// <summary>A dataset's <c>README.md</c>: Hugging Face's dataset card, which tells the viewer where the rows lie and what they hold.</summary>
internal static class DatasetCard
{
    public const string FileName = "README.md";

    private const string Tag = "dsd-mlnet";
    private const int MostRead = 64 * 1024;

    /// <summary>Whether a folder holds a dataset that was written here.</summary>
    public static bool Stands(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            return false;
        }
        using StreamReader reader = new(file);
        char[] begin = new char[MostRead];
        string text = new(begin, 0, reader.ReadBlock(begin));
        return text.StartsWith("---\n", StringComparison.Ordinal) && text.Contains($"\n- {Tag}\n", StringComparison.Ordinal);
    }

    /// <summary>Writes the card.</summary>
    public static void Write(string folder, DatasetWriteOptions options, WrittenDataset written)
    {
        (string path, string features) = options.Format switch
        {
            PairFormat.Parquet => ("data/train-*", HuggingFaceFeatures.ParquetYaml(2, options)),
            PairFormat.ImageFolder => ("train/**", ""),
            _ => ("data/train-*", HuggingFaceFeatures.TarYaml(2, options)),
        };
        StringBuilder card = new();
        card.Append(CultureInfo.InvariantCulture, $"---\ntask_categories:\n- image-to-image\n- text-to-image\ntags:\n- diffusion-self-distillation\n- {Tag}\n");
        if (features.Length > 0)
        {
            card.Append(CultureInfo.InvariantCulture, $"dataset_info:\n  features:\n{features}");
            card.Append(CultureInfo.InvariantCulture, $"  splits:\n  - name: train\n    num_examples: {written.Rows}\n  download_size: {written.Bytes}\n");
        }
        card.Append(CultureInfo.InvariantCulture, $"configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {path}\n---\n\n");
        card.Append("# Pairs of one subject\n\n");
        card.Append(CultureInfo.InvariantCulture, $"{written.Rows} rows{(options.IncludeRejected ? $", {written.Kept} of them kept" : "")}. ");
        card.Append("Each has a reference (`conditioning`), a picture of the same subject elsewhere (`image`), and what that one shows (`caption`).\n");
        card.Append("A text-to-image model drew both on one grid, and a vision-language model judged that they show the same subject (arXiv 2411.18616).\n\n");
        card.Append(
            "Rows with the same `caption_key` show the same subject: split by it. `kept` says whether a pair is for training, `reason`, "
            + "`confidence` and what stands beside them why.\n");
        if (options.References > 1)
        {
            card.Append(CultureInfo.InvariantCulture, $"Each row has {options.References} references: the others are `conditioning_2` and so on.\n");
        }
        if (options.IncludeAxes)
        {
            card.Append("Columns that begin with `axis_` are scores of 0 to 4, which a model gave the pair; empty where it gave none.\n");
        }
        if (options.Format == PairFormat.ImageFolder)
        {
            card.Append("Rows of one grid share picture files.\n");
        }
        File.WriteAllText(Path.Combine(folder, FileName), card.ToString());
    }
}
