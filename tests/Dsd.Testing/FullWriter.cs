using System.Text;

namespace Dsd.Testing;

/// <summary>A writer on a full disk.</summary>
public sealed class FullWriter : TextWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => throw new IOException("the disk is full");

    public override void Flush() => throw new IOException("the disk is full");
}
