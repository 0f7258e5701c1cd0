using System.Diagnostics;
using Dsd.Common.Files;
using Dsd.Testing;

namespace Dsd.Common.Tests.Files;

/// <summary>Temporary folders of processes that end in every way.</summary>
public sealed class ScratchFolderTests : IDisposable
{
    private static readonly string Variable = OperatingSystem.IsWindows() ? "TMP" : "TMPDIR";
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _settings = [];
    private readonly string _temporary;
    private readonly string _elsewhere;

    public ScratchFolderTests()
    {
        _temporary = Directory.CreateDirectory(_folder.File("temporary")).FullName;
        _elsewhere = Directory.CreateDirectory(_folder.File("elsewhere")).FullName;
        File.WriteAllText(Path.Combine(_elsewhere, "mine"), "must stay");
        _settings[Variable] = _temporary;
        // .NET's own pipes for debuggers would stay after a kill too.
        _settings["DOTNET_EnableDiagnostics"] = "0";
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Dispose_RemovesTheFolder()
    {
        string path;
        using (ScratchFolder scratch = new("test"))
        {
            path = scratch.Path;
            File.WriteAllText(Path.Combine(path, "x"), "1");
        }
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void AKilledProcessesFolder_GoesWithTheNextStart()
    {
        string left = Killed("hold", _elsewhere);
        Assert.True(File.Exists(Path.Combine(left, "models", "weights")));
        Next();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_temporary));
        Assert.True(File.Exists(Path.Combine(_elsewhere, "mine")));
    }

    [Fact]
    public void ALivingProcessesFolder_Stays()
    {
        using Process living = Start("hold", _elsewhere);
        string held = living.StandardOutput.ReadLine()!;
        Next();
        Assert.True(File.Exists(Path.Combine(held, "models", "weights")));
        living.StandardInput.WriteLine();
        living.WaitForExit();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_temporary));
    }

    [Fact]
    public void WhereLocksAreNotKept_NothingIsTakenForLeftBehind()
    {
        string left = Killed("hold", _elsewhere);
        // .NET's own switch for it.
        _settings["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1";
        Next();
        Assert.True(Directory.Exists(left));
    }

    [Fact]
    public void AnUnhandledException_LeavesNothing()
    {
        using Process thrown = Start("throw");
        string path = thrown.StandardOutput.ReadLine()!;
        thrown.WaitForExit();
        Assert.NotEqual(0, thrown.ExitCode);
        Assert.StartsWith(_temporary, path);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_temporary));
    }

    [Fact]
    public void FoldersOfOthers_AndLinks_Stay()
    {
        // Somebody's own folder with such a name, one of ours with another name, and a link of such a name to one that looks like ours.
        string named = Directory.CreateDirectory(Path.Combine(_temporary, "dsd-notes")).FullName;
        string marked = Marked(Path.Combine(_temporary, "other-onnx-1"));
        string target = Marked(Path.Combine(_elsewhere, "dsd-onnx-2"));
        string link = Path.Combine(_temporary, "dsd-onnx-3");
        Directory.CreateSymbolicLink(link, target);
        string abandoned = Marked(Path.Combine(_temporary, "dsd-onnx-4"));
        Next();
        Assert.All([named, marked, target, link], f => Assert.True(Directory.Exists(f)));
        Assert.All([marked, target], f => Assert.True(File.Exists(Path.Combine(f, FolderMark.FileName))));
        Assert.False(Directory.Exists(abandoned));
    }

    [Fact]
    public void AnotherUsersFolder_Stays()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.False(FileOwner.IsOwnFolder("/"));
            return;
        }
        string foreign = Marked(Path.Combine(_temporary, "dsd-onnx-5"));
        using Process chown = Process.Start("chown", ["65534", foreign]);
        chown.WaitForExit();
        Next();
        Assert.True(Directory.Exists(foreign));
    }

    [Fact]
    public void APlaceThatIsNotThere_IsNamedWithItsVariable()
    {
        string nowhere = Path.Combine(_temporary, "nowhere");
        _settings[Variable] = nowhere;
        using Process process = Start("make");
        string message = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains(nowhere, message);
        Assert.Contains("there is no such folder", message);
        Assert.Contains($"variable {Variable} ", message);
    }

    [Fact]
    public void AKilledExport_GoesWithTheNextOfTheSameTarget()
    {
        string target = Path.Combine(_elsewhere, "models");
        string half = Killed("export", target);
        Assert.True(File.Exists(Path.Combine(half, "weights")));
        string other = Killed("export", Path.Combine(_elsewhere, "other"));

        AtomicFolder.Write(target, _ => { }, folder => File.WriteAllText(Path.Combine(folder, "weights"), "whole"));

        Assert.Equal(["weights"], Directory.EnumerateFileSystemEntries(target).Select(Path.GetFileName));
        Assert.True(File.Exists(Path.Combine(other, "weights")));
        Assert.Equal(3, Directory.EnumerateFileSystemEntries(_elsewhere).Count());
    }

    [Fact]
    public void AnExportThatGoesOn_IsLeftAloneByAnotherOfTheSameTarget()
    {
        string target = Path.Combine(_elsewhere, "models");
        using Process living = Start("export", target);
        string half = living.StandardOutput.ReadLine()!;
        AtomicFolder.Write(target, _ => { }, folder => File.WriteAllText(Path.Combine(folder, "x"), "1"));
        Assert.True(File.Exists(Path.Combine(half, "weights")));
        living.StandardInput.WriteLine();
        living.WaitForExit();
        Assert.Equal(["weights"], Directory.EnumerateFileSystemEntries(target).Select(Path.GetFileName));
    }

    [Fact]
    public void ManyAtOnce_NeverTakeOneAnothersFolder() => Parallel.For(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 16 }, _ =>
    {
        using ScratchFolder scratch = new("test");
        File.WriteAllText(Path.Combine(scratch.Path, "x"), "1");
        ScratchFolder.RemoveAbandoned();
        Assert.True(File.Exists(Path.Combine(scratch.Path, "x")));
    });

    private static string Marked(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, FolderMark.FileName), "");
        return folder;
    }

    /// <summary>What a process wrote down that was killed after it.</summary>
    private string Killed(params string[] args)
    {
        using Process process = Start(args);
        string path = process.StandardOutput.ReadLine()!;
        process.Kill();
        process.WaitForExit();
        return path;
    }

    private void Next()
    {
        using Process next = Start("make");
        next.WaitForExit();
        Assert.Equal(0, next.ExitCode);
    }

    private Process Start(params string[] args)
    {
        ProcessStartInfo start = new("dotnet", ["exec", typeof(Program).Assembly.Location, .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in _settings)
        {
            start.Environment[name] = value;
        }
        Process process = Process.Start(start)!;
        process.BeginErrorReadLine();
        return process;
    }
}
