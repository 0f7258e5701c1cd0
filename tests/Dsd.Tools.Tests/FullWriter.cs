using System.Text;

namespace Dsd.Tools.Tests;

/// <summary>A writer on a full disk.</summary>
internal sealed class FullWriter : TextWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => throw new IOException("the disk is full");

    public override void Flush() => throw new IOException("the disk is full");
}
