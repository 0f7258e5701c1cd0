using System.Runtime.CompilerServices;
using Dsd.Models.Native;

namespace Dsd.Tiny.Tests;

internal static class TorchStart
{
    [ModuleInitializer]
    internal static void Register() => TorchLibrary.Register();
}
