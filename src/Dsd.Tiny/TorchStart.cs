using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Dsd.Models.Native;

namespace Dsd.Tiny;

internal static class TorchStart
{
    // The judge may be the first to use TorchSharp in a process, before any type of Dsd.Models has been touched.
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "It must run before TorchSharp's first use, which this library cannot order.")]
    internal static void Register() => TorchLibrary.Register();
}
