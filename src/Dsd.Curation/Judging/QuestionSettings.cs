using Dsd.Common.Options;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Judging;

/// <summary>How a question about pictures is put: how they are sent, and in whose words.</summary>
public record QuestionSettings
{
    /// <summary>Pictures whose longer side exceeds this many pixels are sent scaled down to it; 32 to 4096. Default 768.</summary>
    public int MaxImageSide { get; init => field = OptionCheck.Range(value, 32, 4096, nameof(MaxImageSide)); } = 768;

    /// <summary>What pictures are sent as. Default PNG.</summary>
    public PictureFormat Format { get; init => field = OptionCheck.Defined(value, nameof(Format)); }

    /// <summary>Quality of JPEG, 1 to 100. Default 90.</summary>
    public int JpegQuality { get; init => field = OptionCheck.Range(value, 1, 100, nameof(JpegQuality)); } = 90;

    /// <summary>
    /// A UTF-8 text file of at most 64 KB with instructions to the judge. The form of the answer stays.
    /// Null, the default: the instructions of the task, else the built-in ones.
    /// </summary>
    public string? InstructionsFile { get; init; }

    internal DataContent Sent(Picture picture)
    {
        double scale = (double)MaxImageSide / Math.Max(picture.Width, picture.Height);
        Picture sent = scale >= 1 ? picture : picture.Resize(Math.Max(1, (int)(picture.Width * scale)), Math.Max(1, (int)(picture.Height * scale)));
        return Format == PictureFormat.Jpeg
            ? new DataContent(sent.EncodeJpeg(JpegQuality), "image/jpeg")
            : new DataContent(sent.EncodePng(quickly: true), "image/png");
    }
}
