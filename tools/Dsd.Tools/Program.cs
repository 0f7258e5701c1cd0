using System.Runtime.InteropServices;
using System.Text;
using Dsd.Common.Files;
using Dsd.Tools;

using GuardedWriter output = new(Writer(StandardStream.Output()), !Console.IsOutputRedirected, endsWithFault: true);
using GuardedWriter error = new(Writer(StandardStream.Error()), !Console.IsErrorRedirected);
// Libraries that write by themselves fail as quietly; what they say is no result.
Console.SetOut(new GuardedWriter(Writer(StandardStream.Output())));
Console.SetError(error);
// A terminal that is closed ends nothing: docs/command-line.md. Windows leaves no choice.
using PosixSignalRegistration? hangup = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
// What a run that was killed has left in the temporary folder, such as an export of many gigabytes.
ScratchFolder.RemoveAbandoned();
return await DsdCli.RunAsync(args, output, error);

static StreamWriter Writer(Stream stream) => new(stream, Console.OutputEncoding is UTF8Encoding ? new UTF8Encoding(false) : Console.OutputEncoding) { AutoFlush = true };
