using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dsd.Common.Files;
using Dsd.Imaging;
using Dsd.Runs.Ledger;

namespace Dsd.Runs;

/// <summary>A run's folder: <c>ledger.db</c>, <c>grids/</c> with the grids, and a lock that one process holds.</summary>
public sealed class RunFolder : IRunStore, IAsyncDisposable
{
    private readonly FileStream? _lock;
    private readonly FilePlace? _lockPlace;

    private RunFolder(string path, RunLedger ledger, FileStream? @lock)
    {
        (Path, Ledger, _lock) = (path, ledger, @lock);
        _lockPlace = @lock is null ? null : new FilePlace("run's lock", LockFile(path));
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The ledger in it.</summary>
    public RunLedger Ledger { get; }

    /// <summary>The ledger's file in a folder.</summary>
    public static string LedgerFile(string folder) => System.IO.Path.Combine(folder, "ledger.db");

    /// <summary>Opens a folder to work in it, and makes it where there is none. Grids that a killed process left half written are removed.</summary>
    /// <exception cref="IOException">Another process works in it, or it cannot be made.</exception>
    /// <exception cref="LedgerException">Its ledger is none.</exception>
    public static RunFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(
                $"Run folder '{path}' cannot be made: {e.Message.TrimEnd('.')}. Take another, or change the permissions of the folder above it.", e);
        }
        FileStream held = Hold(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        try
        {
            // Nobody else writes while this one holds the lock.
            AtomicFile.RemoveHalfWritten(System.IO.Path.Combine(path, "grids"), "*.png", inner: true);
            return new RunFolder(path, RunLedger.Open(LedgerFile(path)), held);
        }
        catch (Exception e)
        {
            held.Dispose();
            throw e is UnauthorizedAccessException
                ? new IOException($"Run folder '{path}' cannot be worked in: {e.Message.TrimEnd('.')}. Change its permissions, or take another.", e)
                : e;
        }
    }

    /// <summary>Opens a folder to read from it; a run may go on in it meanwhile.</summary>
    /// <exception cref="IOException">There is no ledger in it.</exception>
    /// <exception cref="LedgerException">Its ledger is none.</exception>
    public static RunFolder OpenToRead(string path) => new(path, RunLedger.OpenToRead(LedgerFile(path)), null);

    /// <inheritdoc/>
    public async Task BeginAsync(string run, IReadOnlyDictionary<string, string> facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (Ledger.Meta("run") is { } begun && begun != run)
        {
            throw new LedgerException(
                Ledger.File,
                "a run begun with the same options",
                $"others ({Differences(begun, run)}). Take another folder, or the options that it was begun with");
        }
        await Ledger.WriteMetaAsync("run", run).ConfigureAwait(false);
        foreach ((string name, string value) in facts)
        {
            await Ledger.WriteMetaAsync(name, value).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LedgerPrompt>?> PromptsAsync(SeedCaption caption)
    {
        ArgumentNullException.ThrowIfNull(caption);
        return Task.FromResult(Ledger.IsWritten(caption) ? Ledger.PromptsOf(caption.Key) : null);
    }

    /// <inheritdoc/>
    public Task WritePromptsAsync(SeedCaption caption, IReadOnlyList<LedgerPrompt> prompts) => Ledger.WritePromptsAsync(caption, prompts);

    /// <inheritdoc/>
    public Task<Picture?> GridAsync(string promptId) => Task.FromResult(Ledger.GridOf(promptId) is { } grid ? Load(grid) : null);

    /// <inheritdoc/>
    public Task<bool> HasGridAsync(string promptId) => Task.FromResult(Ledger.GridOf(promptId) is { } grid && Bytes(grid) is not null);

    /// <inheritdoc/>
    public Task CheckAsync()
    {
        Ledger.CheckPlace();
        _lockPlace?.Check();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task WriteGridAsync(string promptId, Picture grid, string teacher)
    {
        ArgumentNullException.ThrowIfNull(grid);
        byte[] png = grid.EncodePng(quickly: true);
        string sha = Convert.ToHexStringLower(SHA256.HashData(png));
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(promptId)))[..2];
        string file = $"grids/{name}/{promptId}.{sha[..8]}.png";
        LedgerGrid row = new(promptId, file, grid.Width, grid.Height, sha, teacher);
        // The file first: a row never points at a file that is not there.
        await CheckAsync().ConfigureAwait(false);
        Place(FileOf(row), stream => stream.Write(png));
        try
        {
            await CheckAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // A folder that was taken away just now must not come into being again with a grid in it and nothing else.
            RemoveAlone(FileOf(row));
            throw;
        }
        bool replace = Ledger.GridOf(promptId) is { } known && Bytes(known) is null;
        await Ledger.WriteGridAsync(row, replace).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<int, string>> PanelCaptionsAsync(string promptId) => Task.FromResult(Ledger.PanelCaptionsOf(promptId));

    /// <inheritdoc/>
    public Task WritePanelCaptionAsync(string promptId, int panel, string caption) => Ledger.WritePanelCaptionAsync(promptId, panel, caption);

    /// <inheritdoc/>
    public Task<IReadOnlySet<(int First, int Second)>> JudgedAsync(string promptId) => Task.FromResult(Ledger.JudgedOf(promptId));

    /// <inheritdoc/>
    public Task WritePairAsync(LedgerPair pair) => Ledger.WritePairAsync(pair);

    /// <inheritdoc/>
    public Task WriteFailureAsync(string id, string stage, string message) => Ledger.WriteFailureAsync(id, stage, message);

    /// <inheritdoc/>
    public async Task<(long Calls, long Tokens)> SpendAsync(string session, long calls, long tokens)
    {
        if (calls > 0 || tokens > 0)
        {
            await Ledger.WriteSpentAsync(session, calls, tokens).ConfigureAwait(false);
        }
        return Ledger.Spent();
    }

    /// <summary>Reads a grid; null where its file is gone or is not what the ledger says.</summary>
    /// <exception cref="LedgerException">The ledger names a file outside the folder.</exception>
    /// <exception cref="IOException">The file is there and cannot be read.</exception>
    public Picture? Load(LedgerGrid grid)
    {
        ArgumentNullException.ThrowIfNull(grid);
        try
        {
            return Bytes(grid) is { } bytes ? Picture.Decode(bytes, grid.File) : null;
        }
        catch (PictureException)
        {
            return null;
        }
    }

    /// <summary>
    /// Takes over what another folder of the same run holds, grids and ledger: all of it or nothing. Doing it again changes nothing, and
    /// completes one that was cut off. Rows of its ledger that cannot be read are left out, as <see cref="RunLedger.MergeAsync"/> says.
    /// </summary>
    /// <returns>The rows that cannot be read.</returns>
    /// <exception cref="LedgerException">It is another run's, contradicts this one, or is damaged.</exception>
    /// <exception cref="IOException">A process works in it, or a file cannot be read or written.</exception>
    public async Task<LedgerFaults> MergeAsync(string other, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(other);
        if (System.IO.Path.GetFullPath(other) == System.IO.Path.GetFullPath(Path))
        {
            return LedgerFaults.None;
        }
        await CheckAsync().ConfigureAwait(false);
        using FileStream? held = File.Exists(LockFile(other)) ? Hold(other, FileMode.Open, FileAccess.Read) : null;
        List<string> copied = [];
        try
        {
            // Grids first: a row never points at a file that is not there.
            string grids = System.IO.Path.Combine(other, "grids");
            foreach (string file in Directory.Exists(grids) ? Directory.EnumerateFiles(grids, "*.png", SearchOption.AllDirectories) : [])
            {
                cancellationToken.ThrowIfCancellationRequested();
                string target = System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(other, file));
                if (!File.Exists(target))
                {
                    Place(target, stream =>
                    {
                        using FileStream source = File.OpenRead(file);
                        source.CopyTo(stream);
                    });
                    copied.Add(target);
                }
            }
            LedgerFaults faults = await Ledger.MergeAsync(LedgerFile(other)).ConfigureAwait(false);
            await CheckAsync().ConfigureAwait(false);
            return faults;
        }
        catch (LedgerException)
        {
            copied.ForEach(File.Delete);
            throw;
        }
    }

    /// <summary>Closes the ledger and lets go of the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync().ConfigureAwait(false);
        _lock?.Dispose();
    }

    private static string Differences(string begun, string run)
    {
        if (Fields(begun) is not { } before || Fields(run) is not { } now)
        {
            return $"'{Excerpt(begun)}', now '{Excerpt(run)}'";
        }
        return string.Join("; ", before.Keys.Union(now.Keys).Where(k => before.GetValueOrDefault(k) != now.GetValueOrDefault(k)).Select(
            k => $"{k} was {Excerpt(before.GetValueOrDefault(k) ?? "not there")}, is {Excerpt(now.GetValueOrDefault(k) ?? "not there")}"));
    }

    private static Dictionary<string, string>? Fields(string fingerprint)
    {
        try
        {
            return JsonNode.Parse(fingerprint) is JsonObject fields ? fields.ToDictionary(f => f.Key, f => f.Value?.ToJsonString() ?? "null") : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Excerpt(string text) => text.Length <= 200 ? text : $"{text[..200]}…";

    private static string LockFile(string folder) => System.IO.Path.Combine(folder, "run.lock");

    private static FileStream Hold(string folder, FileMode mode, FileAccess access)
    {
        try
        {
            return new FileStream(LockFile(folder), mode, access, FileShare.None);
        }
        catch (IOException e) when (IsHeld(e))
        {
            throw new IOException(
                $"Run folder '{folder}': another process works in it. Wait for it, or give this one a folder of its own (and merge them afterwards).", e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException and not (DirectoryNotFoundException or FileNotFoundException))
        {
            throw new IOException(
                $"Run folder '{folder}' cannot be worked in: its lock '{LockFile(folder)}' cannot be opened ({e.Message.TrimEnd('.')}). "
                + "Free space or change permissions, or take another folder.",
                e);
        }
    }

    // What a held file says: Linux, macOS, and Windows, where a file or a part of it is held.
    private static bool IsHeld(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020) or unchecked((int)0x80070021);

    private void RemoveAlone(string file)
    {
        try
        {
            File.Delete(file);
            string root = System.IO.Path.GetFullPath(Path);
            string? folder = System.IO.Path.GetDirectoryName(file);
            while (folder is not null && folder.StartsWith(root, StringComparison.Ordinal))
            {
                Directory.Delete(folder);
                folder = System.IO.Path.GetDirectoryName(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something else lies there, or it is gone already.
        }
    }

    private byte[]? Bytes(LedgerGrid grid)
    {
        string file = FileOf(grid);
        try
        {
            if (!File.Exists(file) || new FileInfo(file).Length > Picture.MaxEncodedBytes)
            {
                return null;
            }
            byte[] bytes = File.ReadAllBytes(file);
            return Convert.ToHexStringLower(SHA256.HashData(bytes)) == grid.Sha256 ? bytes : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Taken away just now.
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The grid '{file}' cannot be read: {e.Message.TrimEnd('.')}. Change its permissions.", e);
        }
    }

    private static void Place(string file, Action<Stream> write)
    {
        try
        {
            AtomicFile.Write(file, write);
        }
        catch (IOException e) when ((e.InnerException ?? e) is FileNotFoundException or DirectoryNotFoundException)
        {
            // The folder was made and the file begun, and then it was not there: somebody deletes, and has not come to the ledger yet.
            throw FilePlace.Gone("folder", System.IO.Path.GetDirectoryName(file)!, e);
        }
        catch (IOException e)
        {
            throw new IOException(
                $"The grid '{file}' cannot be written ({e.Message.TrimEnd('.')}). Free space, or see that the folder can be written, "
                + "and start again: work goes on with what is done.",
                e);
        }
    }

    // The ledger may come from elsewhere: its paths must not lead out of the folder.
    private string FileOf(LedgerGrid grid)
    {
        string root = System.IO.Path.GetFullPath(Path) + System.IO.Path.DirectorySeparatorChar;
        string? file = grid.File.Contains('\0') ? null : System.IO.Path.GetFullPath(System.IO.Path.Combine(root, grid.File));
        return file?.StartsWith(root, StringComparison.Ordinal) == true
            ? file
            : throw LedgerException.OfRow(Ledger.File, LedgerTable.Grids.Name, grid.PromptId, "file", "a grid within the folder", $"'{grid.File}'");
    }
}
