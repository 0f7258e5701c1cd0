return await Dsd.Tools.DsdCli.Program.RunProcessAsync(args);
