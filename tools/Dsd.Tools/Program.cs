return await Dsd.Tools.DsdCli.RunAsync(args, Console.Out, Console.Error);
