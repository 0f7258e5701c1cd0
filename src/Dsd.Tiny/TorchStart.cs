using System.Runtime.CompilerServices;
using Dsd.Models.Native;

namespace Dsd.Tiny;

internal static class TorchStart
{
    // The judge may be the first to use TorchSharp in a process, before any type of Dsd.Models has been touched.
#pragma warning disable CA2255 // The fallback must stand before TorchSharp's first use, whose order is out of this library's hands.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register() => TorchLibrary.Register();
}
