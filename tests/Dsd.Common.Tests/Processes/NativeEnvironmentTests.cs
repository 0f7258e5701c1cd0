using System.Runtime.InteropServices;
using Dsd.Common.Processes;

namespace Dsd.Common.Tests.Processes;

/// <summary>What native code reads is asked of the C library, since .NET's own variables are a copy.</summary>
public sealed class NativeEnvironmentTests : IDisposable
{
    // A name of its own for each test: all of them share this process.
    private readonly string _name = $"DSD_TEST_{Guid.NewGuid():N}";

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(_name, null);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(0, UnsetEnv(_name));
        }
    }

    [Theory]
    [InlineData("SSE41")]
    [InlineData("größer")]
    [InlineData("a = b; c")]
    public void SetDefault_OfAFreeName_IsReadByNativeCode(string value)
    {
        Assert.Null(Native(_name));

        NativeEnvironment.SetDefault(_name, value);

        Assert.Equal(value, Native(_name));
    }

    [Fact]
    public void SetDefault_LeavesWhatNativeCodeReadsAlready()
    {
        NativeEnvironment.SetDefault(_name, "first");

        NativeEnvironment.SetDefault(_name, "second");

        Assert.Equal("first", Native(_name));
    }

    [Fact]
    public void SetDefault_LeavesWhatTheUserHasSet()
    {
        string path = Environment.GetEnvironmentVariable("PATH")!;

        NativeEnvironment.SetDefault("PATH", "/nowhere");

        Assert.Equal(path, Native("PATH"));
        Assert.Equal(path, Environment.GetEnvironmentVariable("PATH"));
    }

    [Fact]
    public void SetDefault_LeavesWhatTheProgramHasSet()
    {
        Environment.SetEnvironmentVariable(_name, "the program's");

        NativeEnvironment.SetDefault(_name, "the library's");

        Assert.NotEqual("the library's", Native(_name));
        Assert.Equal("the program's", Environment.GetEnvironmentVariable(_name));
    }

    [Fact]
    public void SetDefault_NeedsANameAndAValue()
    {
        Assert.Throws<ArgumentException>(() => NativeEnvironment.SetDefault("", "1"));
        Assert.Throws<ArgumentNullException>(() => NativeEnvironment.SetDefault(null!, "1"));
        Assert.Throws<ArgumentNullException>(() => NativeEnvironment.SetDefault(_name, null!));
    }

    private static string? Native(string name) =>
        OperatingSystem.IsWindows() ? Environment.GetEnvironmentVariable(name) : Marshal.PtrToStringUTF8(GetEnv(name));

    [DllImport("libc", EntryPoint = "getenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern IntPtr GetEnv(string name);

    [DllImport("libc", EntryPoint = "unsetenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int UnsetEnv(string name);
}
