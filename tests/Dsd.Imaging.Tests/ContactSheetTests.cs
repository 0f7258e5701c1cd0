using Dsd.Testing;

namespace Dsd.Imaging.Tests;

public class ContactSheetTests
{
    [Fact]
    public void Arrange_PutsPicturesRowByRowOnWhite()
    {
        Picture sheet = ContactSheet.Arrange([Pixel(1), Pixel(2), Pixel(3)], columns: 2, gap: 1);

        Assert.Equal((3, 3), (sheet.Width, sheet.Height));
        Assert.Equal([1, 255, 2, 255, 255, 255, 3, 255, 255], Enumerable.Range(0, 9).Select(i => sheet.Pixels[3 * i]));
    }

    [Fact]
    public void Arrange_NamesThePictureOfAnotherSize() => Assert.Contains(
        "must be 1 × 1 as the first, but picture 1 is 2 × 1",
        Assert.Throws<ArgumentException>(() => ContactSheet.Arrange([Pixel(1), Pngs.Noisy(2, 1)], 2, 0)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Arrange_RefusesNoPictures() => Assert.Throws<ArgumentException>(() => ContactSheet.Arrange([], 2, 0));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, -1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Arrange_RefusesValuesOutOfRange(int columns, int gap) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ContactSheet.Arrange([Pixel(1), Pixel(2)], columns, gap));

    private static Picture Pixel(byte value) => new(1, 1, [value, value, value]);
}
