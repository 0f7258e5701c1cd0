using Dsd.Common.Files;

namespace Dsd.Common.Tests;

/// <summary>What tests start as a process of its own, to be killed or to come after one that was.</summary>
public static class Program
{
    public static int Main(string[] args)
    {
        switch (args)
        {
            case ["hold", string link]:
                ScratchFolder held = new("test");
                Directory.CreateDirectory(Path.Combine(held.Path, "models"));
                File.WriteAllText(Path.Combine(held.Path, "models", "weights"), "many bytes");
                Directory.CreateSymbolicLink(Path.Combine(held.Path, "link"), link);
                Tell(held.Path);
                return 0;
            case ["export", string target]:
                AtomicFolder.Write(target, _ => { }, half =>
                {
                    File.WriteAllText(Path.Combine(half, "weights"), "many bytes");
                    Tell(half);
                });
                return 0;
            case ["throw"]:
                using (ScratchFolder thrown = new("test"))
                {
                    Console.WriteLine(thrown.Path);
                    throw new InvalidOperationException("Nobody handles this.");
                }
            case ["make"]:
                try
                {
                    new ScratchFolder("test").Dispose();
                    return 0;
                }
                catch (IOException e)
                {
                    Console.WriteLine(e.Message);
                    return 1;
                }
            default:
                return 2;
        }
    }

    // The test reads the line and then does with this process what it wants.
    private static void Tell(string path)
    {
        Console.WriteLine(path);
        Console.In.ReadLine();
    }
}
