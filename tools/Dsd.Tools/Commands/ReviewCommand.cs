using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Dsd.Common.Files;
using Dsd.Review.Exporting;
using Dsd.Review.Reports;
using Dsd.Review.Serving;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd review</c>: people look at judged pairs, in a browser on this machine or as files, and their verdicts measure the judge.</summary>
internal sealed class ReviewCommand
{
    private readonly Terminal _terminal;
    private readonly Argument<string> _folder = new("FOLDER") { Description = "The folder of a curation run; a run may be going on in it." };
    private readonly Option<int?> _port = new("--port") { Description = "The port on 127.0.0.1, any free one if left out or 0.", HelpName = "N" };
    private readonly Option<bool> _noBrowser = new(
        "--no-browser")
    {
        Description = "Print the page's address only, and open no browser. The address is a secret; a browser that is started shows "
            + "it to other users of this machine."
    };
    private readonly Option<string?> _out = new("--out")
    {
        Description = "Write the page as files that open without a server, to look at only, in place of serving it.",
        HelpName = "FOLDER",
    };
    private readonly Option<int?> _most = new("--most")
    {
        Description = "With '--out': the most pairs to write, 1 to 5000; 500 if left out. Of more, so many are taken at equal distances.",
        HelpName = "N",
    };
    private readonly Option<string?> _report = new("--report")
    {
        Description = "Write what people's verdicts say of the judges (report.md, report.json, a plot) in place of serving the page.",
        HelpName = "FOLDER",
    };

    private ReviewCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        ReviewCommand review = new(terminal);
        Command command = new("review", "Look at judged pairs in a browser and give verdicts, which go into the run's ledger.")
        {
            review._folder, review._port, review._noBrowser, review._out, review._most, review._report,
        };
        command.SetAction(review.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        string folder = parsed.GetRequiredValue(_folder);
        (string? page, string? report) = (parsed.GetValue(_out), parsed.GetValue(_report));
        if (page is null && parsed.GetValue(_most) is not null)
        {
            throw new UsageException("Option '--most' bounds the page that '--out' writes, but there is no '--out'.");
        }
        if (page is null && report is null)
        {
            await ServeAsync(parsed, folder, cancel);
            return ExitCode.Done;
        }
        if (parsed.GetValue(_port) is not null || parsed.GetValue(_noBrowser))
        {
            throw new UsageException("Options '--port' and '--no-browser' are for serving the page, which '--out' and '--report' replace.");
        }
        ReviewExportOptions options = CheckedOptions.Build(
            () => parsed.GetValue(_most) is { } most ? new ReviewExportOptions { MostPairs = most } : new ReviewExportOptions());
        RequireRun(folder);
        foreach (string target in new[] { page, report }.OfType<string>())
        {
            WritablePlace.RequireFolder(target);
        }
        if (page is not null)
        {
            (int written, int all) = await ReviewExport.WriteAsync(folder, page, options, cancel);
            _terminal.Error.WriteLine($"{written} of {all} pairs written.");
            await using RunFolder run = RunFolder.OpenToRead(folder);
            WarnOf(run.Ledger.Faults());
            _terminal.Output.WriteLine(Path.Combine(page, "index.html"));
        }
        if (report is not null)
        {
            await using RunFolder run = RunFolder.OpenToRead(folder);
            JudgeReport measured = JudgeReport.Of(run.Ledger);
            JudgeReportFiles.Write(measured, report);
            WarnOf(measured.Unreadable);
            _terminal.Output.WriteLine(Path.Combine(report, "report.md"));
        }
        return ExitCode.Done;
    }

    private async Task ServeAsync(ParseResult parsed, string folder, CancellationToken cancel)
    {
        ReviewOptions options = CheckedOptions.Build(() => new ReviewOptions { Port = parsed.GetValue(_port) ?? 0 });
        RequireRun(folder);
        await using ReviewServer server = await ReviewServer.StartAsync(folder, options, cancel);
        // Nobody can press Ctrl-C in a terminal that is gone.
        CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using PosixSignalRegistration? hangup = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            ended.Cancel();
        });
        _terminal.Output.WriteLine(server.Address);
        if (_terminal.IsOutputLost)
        {
            // Nobody knows the address.
            return;
        }
        _terminal.Error.WriteLine("Verdicts go into the ledger as they are given. Ctrl-C ends the review.");
        if (!parsed.GetValue(_noBrowser))
        {
            OpenBrowser(server.Address);
        }
        try
        {
            await Task.Delay(Timeout.Infinite, ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The way in which a review ends.
        }
        _terminal.Error.WriteLine($"The review has ended; verdicts written: {server.Written}.");
    }

    private void OpenBrowser(Uri address)
    {
        try
        {
            using Process? browser = Process.Start(new ProcessStartInfo(address.AbsoluteUri) { UseShellExecute = true });
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or PlatformNotSupportedException)
        {
            _terminal.Warn($"No browser could be started ({e.Message.TrimEnd('.')}): open the address yourself.");
        }
    }

    private void WarnOf(LedgerFaults unreadable)
    {
        if (unreadable.Count > 0)
        {
            _terminal.Warn(unreadable.ToString());
        }
    }

    private static void RequireRun(string folder)
    {
        if (!File.Exists(RunFolder.LedgerFile(folder)))
        {
            throw new DirectoryNotFoundException($"'{folder}': expected the folder of a curation run, found no ledger at '{RunFolder.LedgerFile(folder)}'.");
        }
    }
}
