using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.Evaluation.Encoders;
using Dsd.MLNet.Stages.Rows;

namespace Dsd.MLNet;

/// <summary>Whose pixels an <see cref="ImagePixels"/> makes, and its columns.</summary>
public sealed record ImagePixelsOptions
{
    /// <summary>The folder of an exported encoder, whose way of scaling pictures is used.</summary>
    public required string Encoder { get; init => field = OptionCheck.Text(value, nameof(Encoder)); }

    /// <summary>The image column. Default <c>Image</c>.</summary>
    public string ImageColumn { get; init => field = OptionCheck.Text(value, nameof(ImageColumn)); } = "Image";

    /// <summary>
    /// The added column with the numbers that the network takes. Default <see cref="EncoderFolder.PixelsInput"/>, since <c>ApplyOnnxModel</c> asks for the
    /// network's own name.
    /// </summary>
    public string PixelsColumn { get; init => field = OptionCheck.Text(value, nameof(PixelsColumn)); } = EncoderFolder.PixelsInput;

    /// <summary>What becomes of rows that cannot be scaled because of what they hold. Default <see cref="BadRows.Fail"/>.</summary>
    public BadRows BadRows { get; init => field = OptionCheck.Defined(value, nameof(BadRows)); }

    /// <summary>The added text column that says what is wrong with a row, for <see cref="BadRows.Mark"/>. Default <c>Error</c>.</summary>
    public string ErrorColumn { get; init => field = OptionCheck.Text(value, nameof(ErrorColumn)); } = "Error";

    /// <summary>Stops the work between two pictures. A context that ML.NET cancels stops it too. Not saved.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What becomes of bad rows, and how many rows are made of one.</summary>
    internal RowPolicy Policy => new(BadRows, ErrorColumn);
}
