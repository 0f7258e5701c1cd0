namespace Dsd.Dataset.Formats;

/// <summary>The layouts in which pairs are written and read. <c>docs/datasets.md</c> states each exactly.</summary>
public enum PairFormat
{
    /// <summary>Parquet files with pictures in them, as <c>primecai/dsd_data</c> is published and Hugging Face <c>datasets</c> shows it.</summary>
    Parquet,

    /// <summary>Picture files, and a <c>metadata.jsonl</c> (or <c>.csv</c>, <c>.parquet</c>) that names them: Hugging Face's ImageFolder.</summary>
    ImageFolder,

    /// <summary>Tar files in which the files of one name are a row.</summary>
    WebDataset,
}
