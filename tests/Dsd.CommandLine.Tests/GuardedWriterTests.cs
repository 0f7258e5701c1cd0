using Dsd.Testing;

namespace Dsd.CommandLine.Tests;

public class GuardedWriterTests
{
    [Fact]
    public void AWriterThatFails_EndsNothing_AndTheFirstFaultIsKept()
    {
        GuardedWriter writer = new(new FullWriter());

        writer.Write('a');
        writer.Write("a");
        writer.Write("abc".ToCharArray(), 1, 1);
        writer.WriteLine();
        writer.WriteLine("{0} and {1}", 1, 2);
        writer.WriteLine(3.5);
        writer.Flush();

        Assert.IsType<IOException>(writer.Fault);
    }

    [Fact]
    public void AResult_EndsWithItsFirstFault_AndAMessageGoesOn()
    {
        (Flaky result, Flaky message) = (new(), new());
        (GuardedWriter results, GuardedWriter messages) = (new(result, endsWithFault: true), new(message));
        foreach (GuardedWriter writer in new[] { results, messages })
        {
            writer.WriteLine("first");
            writer.WriteLine("second");
        }
        Assert.Equal(("", "second\n"), (result.ToString().ReplaceLineEndings("\n"), message.ToString().ReplaceLineEndings("\n")));
    }

    private sealed class Flaky : StringWriter
    {
        private bool _failed;

        public override void WriteLine(string? value)
        {
            if (!_failed)
            {
                _failed = true;
                throw new IOException("not now");
            }
            base.WriteLine(value);
        }
    }
}
