using System.Text;

namespace Dsd.Common.Files;

/// <summary>A folder that is being filled, and knows the length and hash of each file that was written through it.</summary>
public sealed class HashedFolder
{
    private readonly string _prefix;
    private readonly SortedDictionary<string, FileHash> _files;

    /// <summary>A folder that exists.</summary>
    public HashedFolder(string path)
        : this(path, "", new SortedDictionary<string, FileHash>(StringComparer.Ordinal))
    {
    }

    private HashedFolder(string path, string prefix, SortedDictionary<string, FileHash> files) => (Path, _prefix, _files) = (path, prefix, files);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>
    /// Length and hash of each file that was finished, in the order of their names: paths within the outermost folder, with forward slashes.
    /// </summary>
    public IReadOnlyDictionary<string, FileHash> Files => _files;

    /// <summary>A folder within this one, made if need be. Its files are among those of this one.</summary>
    public HashedFolder Inner(string name) => new(Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName, $"{_prefix}{name}/", _files);

    /// <summary>Begins a file, which is among the <see cref="Files"/> after <see cref="HashedFile.Complete"/>.</summary>
    /// <exception cref="IOException">There is such a file, or it cannot be made.</exception>
    public HashedFile Create(string name) => new(System.IO.Path.Combine(Path, name), hash => Add(name, hash));

    /// <summary>
    /// Takes in a file whose length and hash are known, under its own name and without reading it: as a second name of the same file where the file system
    /// has such, else as a copy.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="hash">Its length and hash.</param>
    /// <exception cref="IOException">It has another length, or cannot be taken in.</exception>
    public void Take(string file, FileHash hash)
    {
        string name = System.IO.Path.GetFileName(file);
        string target = System.IO.Path.Combine(Path, name);
        if (!HardLink.TryCreate(file, target))
        {
            File.Copy(file, target);
        }
        long length = new FileInfo(target).Length;
        if (length != hash.Length)
        {
            throw new IOException($"File '{file}' has {length} bytes where {hash.Length} were expected: it was changed.");
        }
        Add(name, hash);
    }

    /// <summary>Writes a text in UTF-8.</summary>
    public void WriteText(string name, string text)
    {
        using HashedFile file = Create(name);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Complete();
    }

    /// <summary>Copies a file under its own name.</summary>
    public void Copy(string file)
    {
        using FileStream from = new(file, FileMode.Open, FileAccess.Read, FileShare.Read);
        using HashedFile to = Create(System.IO.Path.GetFileName(file));
        from.CopyTo(to);
        to.Complete();
    }

    // Several files may be written at once.
    private void Add(string name, FileHash hash)
    {
        lock (_files)
        {
            _files.Add(_prefix + name, hash);
        }
    }
}
