namespace Dsd.Models.Text;

/// <summary>The character that byte-level vocabularies write for each byte: itself where it is visible, else one from U+0100 on.</summary>
internal static class ClipBytes
{
    public static IReadOnlyList<char> Characters { get; } = Make();

    private static char[] Make()
    {
        char[] characters = new char[256];
        int hidden = 0;
        for (int b = 0; b < 256; b++)
        {
            bool visible = b is (>= 0x21 and <= 0x7e) or (>= 0xa1 and <= 0xac) or (>= 0xae and <= 0xff);
            characters[b] = (char)(visible ? b : 0x100 + hidden++);
        }
        return characters;
    }
}
