using System.Text;
using Dsd.Common.Files;
using Dsd.Imaging;
using Dsd.Models.Training;

namespace Dsd.MLNet.FineTuning;

/// <summary>
/// The pairs of a run in a scratch file, pictures as lossless PNG: they are written one by one as the rows above give them, and read, one decoded at a
/// time, when all that drew them is done. docs/decisions/fine-tuner-rows.md says why.
/// </summary>
internal sealed class TrainingRows : IDisposable
{
    private readonly ScratchFolder _folder;
    private readonly string _path;
    private readonly BinaryWriter _file;

    /// <summary>No rows yet.</summary>
    /// <param name="above">The folder for scratch files. Null, the default, is the system's.</param>
    /// <exception cref="IOException">No temporary folder can be made.</exception>
    public TrainingRows(string? above = null)
    {
        _folder = new ScratchFolder("rows", above);
        _path = Path.Combine(_folder.Path, "pairs");
        // Without a buffer: a full disk is found by the row that no longer fits, and closing cannot fail.
        _file = new BinaryWriter(new FileStream(_path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0), Encoding.UTF8);
    }

    /// <summary>How many pairs there are to train on.</summary>
    public int Count { get; private set; }

    /// <summary>How many are held out.</summary>
    public int HeldOutCount { get; private set; }

    /// <summary>The pairs to train on, in the order in which they came.</summary>
    public IEnumerable<TrainingPair> Pairs => Read(heldOut: false);

    /// <summary>The pairs that are not trained on, in the order in which they came.</summary>
    public IEnumerable<TrainingPair> HeldOut => Read(heldOut: true);

    /// <summary>Adds a pair.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Add(TrainingPair pair, bool heldOut)
    {
        try
        {
            _file.Write(heldOut);
            _file.Write(pair.Prompt);
            Write(pair.Reference);
            Write(pair.Target);
        }
        catch (IOException e)
        {
            throw new IOException(
                $"The rows cannot be kept until training begins, in '{_folder.Path}': {e.Message.TrimEnd('.')}. "
                    + "Make room there, or let temporary files go to another place.",
                e);
        }
        (Count, HeldOutCount) = heldOut ? (Count, HeldOutCount + 1) : (Count + 1, HeldOutCount);
    }

    /// <summary>Removes the file.</summary>
    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    private void Write(Picture picture)
    {
        byte[] png = picture.EncodePng(quickly: true);
        _file.Write(png.Length);
        _file.Write(png);
    }

    private IEnumerable<TrainingPair> Read(bool heldOut)
    {
        using BinaryReader file = new(new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), Encoding.UTF8);
        for (int left = Count + HeldOutCount; left > 0; left--)
        {
            bool wanted = file.ReadBoolean() == heldOut;
            string prompt = file.ReadString();
            if (wanted)
            {
                yield return new TrainingPair(Next(), Next(), prompt);
            }
            else
            {
                Pass();
                Pass();
            }
        }

        Picture Next() => Picture.Decode(file.ReadBytes(file.ReadInt32()), _path);

        void Pass() => file.BaseStream.Seek(file.ReadInt32(), SeekOrigin.Current);
    }
}
