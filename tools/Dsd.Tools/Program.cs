Console.WriteLine("dsd");
