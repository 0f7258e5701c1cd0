Console.WriteLine("The Quickstart is not built yet.");
