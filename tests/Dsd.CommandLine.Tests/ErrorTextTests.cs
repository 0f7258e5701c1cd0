namespace Dsd.CommandLine.Tests;

public class ErrorTextTests
{
    [Fact]
    public void OneLine_NamesNoTypesOfTheProgram()
    {
        Exception exception = new InvalidDataException(
            "Settings 'a.json': The JSON value could not be converted to System.Nullable`1[System.Int32]. Path: $.judges | LineNumber: 0.");

        Assert.Equal("Settings 'a.json': The JSON value is not a whole number of this range. Path: $.judges | LineNumber: 0.", ErrorText.OneLine(exception));
    }

    [Fact]
    public void OneLine_AddsInnerMessagesThatSaySomethingNew()
    {
        Exception exception = new IOException("Cannot write 'a'.", new InvalidOperationException("The disk\nis full"));

        Assert.Equal("Cannot write 'a'. The disk is full.", ErrorText.OneLine(exception));
    }

    [Fact]
    public void OneLine_LeavesOutWhatTheOuterMessageHolds()
    {
        Exception exception = new IOException("Cannot write 'a': disk full.", new InvalidOperationException("disk full"));

        Assert.Equal("Cannot write 'a': disk full.", ErrorText.OneLine(exception));
    }
}
