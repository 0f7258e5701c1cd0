using System.Runtime.CompilerServices;
using Dsd.Models.Native;

/// <summary>Part of every test assembly: whichever test runs first may use TorchSharp before it touches any type of Dsd.Models.</summary>
internal static class TorchStart
{
    [ModuleInitializer]
    internal static void Register() => TorchLibrary.Register();
}
