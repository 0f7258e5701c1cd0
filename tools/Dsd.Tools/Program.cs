// What a run that was killed has left in the temporary folder, such as an export of many gigabytes.
Dsd.Imaging.ScratchFolder.RemoveAbandoned();
return await Dsd.Tools.DsdCli.RunAsync(args, Console.Out, Console.Error);
