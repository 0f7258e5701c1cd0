using Dsd.Common.Files;
using Dsd.Imaging;

namespace Dsd.MLNet.Data;

/// <summary>A folder with a folder of pictures for each subject.</summary>
internal sealed class SubjectFolder
{
    // More than anybody has by hand. Names are held in memory.
    private const int MaxPictures = 1_000_000;
    private const int MaxTextBytes = 64 * 1024;
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".webp", ".bmp"];
    private readonly string _path;

    /// <exception cref="IOException">There is no such folder, or no subject in it has two pictures.</exception>
    public SubjectFolder(string path, SubjectsLoaderOptions options, Action<string> warn)
    {
        _path = Path.GetFullPath(path);
        if (!Directory.Exists(_path))
        {
            throw new DirectoryNotFoundException($"There is no folder '{path}'. Expected one with a folder of pictures for each subject.");
        }
        List<SubjectPair> pairs = [];
        int pictures = 0;
        foreach (string folder in Directory.EnumerateDirectories(_path).Order(StringComparer.Ordinal))
        {
            string subject = Path.GetFileName(folder);
            IEnumerable<string> found = Directory.EnumerateFiles(folder).Where(IsPicture).Select(f => $"{subject}/{Path.GetFileName(f)}");
            string[] files = [.. found.Order(StringComparer.Ordinal)];
            if ((pictures += files.Length) > MaxPictures)
            {
                throw new IOException($"'{path}' holds more than {MaxPictures} pictures: load parts of it.");
            }
            long all = (long)files.Length * (files.Length - 1) / (options.Ordered ? 1 : 2);
            long taken = Math.Min(all, options.MaxPairsPerSubject);
            for (long i = 0; i < taken; i++)
            {
                (int reference, int target) = Pair(i * all / taken, files.Length, options.Ordered);
                pairs.Add(new SubjectPair(subject, files[reference], files[target]));
            }
            if (taken < all)
            {
                warn($"Subject '{subject}' has {all} pairs, of which {taken} are taken (option {nameof(options.MaxPairsPerSubject)}).");
            }
        }
        Pairs = pairs.Count > 0 ? pairs : throw new IOException(
            $"No folder in '{path}' holds two pictures ({string.Join(", ", Extensions)}). Expected a folder for each subject, with its pictures in it.");
    }

    /// <summary>The pairs, subject by subject in the order of names.</summary>
    public IReadOnlyList<SubjectPair> Pairs { get; }

    /// <exception cref="PictureException">The file is no picture, or one that is too large.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public Picture Read(string picture) => Picture.Load(Path.Combine(_path, picture));

    /// <summary>What the target of a pair shows.</summary>
    /// <exception cref="IOException">The text beside the picture cannot be read, or is too long.</exception>
    public string Prompt(SubjectPair pair)
    {
        string file = Path.ChangeExtension(Path.Combine(_path, pair.Target), ".txt");
        if (!File.Exists(file))
        {
            return pair.Subject;
        }
        string text = SmallFile.Text(file, MaxTextBytes, (expected, found) => new IOException($"'{file}': expected {expected}, found {found}.")).Trim();
        return text.Length > 0 ? text : pair.Subject;
    }

    /// <summary>The nth pair of so many pictures, first by its reference.</summary>
    private static (int Reference, int Target) Pair(long number, int pictures, bool ordered)
    {
        if (ordered)
        {
            (int reference, int other) = ((int)(number / (pictures - 1)), (int)(number % (pictures - 1)));
            return (reference, other < reference ? other : other + 1);
        }
        int first = 0;
        while (number >= pictures - 1 - first)
        {
            number -= pictures - 1 - first;
            first++;
        }
        return (first, first + 1 + (int)number);
    }

    private static bool IsPicture(string file) => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase);
}
