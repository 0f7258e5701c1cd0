return await Dsd.Lab.LabCli.Program.RunProcessAsync(args);
