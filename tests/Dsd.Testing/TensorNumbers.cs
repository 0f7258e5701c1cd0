using System.Reflection;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Testing;

/// <summary>
/// Looks for members of TorchSharp that forget a number while libtorch reads it: docs/decisions/numbers-of-tensors.md. The build finds most of them by
/// src/BannedSymbols.txt and says where they are; it overlooks <c>+=</c> and its like.
/// </summary>
public static class TensorNumbers
{
    private static readonly string[] _withANumberOfTheirOwn = ["add", "add_", "square", "square_"];

    /// <summary>Those that an assembly uses.</summary>
    public static IEnumerable<string> ForgottenIn(Assembly assembly) => Used(assembly.ManifestModule).Where(Forgets).Select(m => $"{m.DeclaringType}: {m}");

    /// <summary>The methods of other assemblies that a module names.</summary>
    private static IEnumerable<MethodBase> Used(Module module)
    {
        const int MemberReferences = 0x0A000000;
        for (int i = 1; ; i++)
        {
            MethodBase? method;
            try
            {
                method = module.ResolveMember(MemberReferences + i) as MethodBase;
            }
            catch (ArgumentOutOfRangeException)
            {
                yield break;
            }
            catch (Exception e) when (e is ArgumentException or BadImageFormatException or TypeLoadException or FileNotFoundException)
            {
                // A member of a generic type, which says nothing by itself; none of TorchSharp's tensors is one.
                continue;
            }
            if (method is not null)
            {
                yield return method;
            }
        }
    }

    private static bool Forgets(MethodBase method)
    {
        ParameterInfo[] takes = method.GetParameters();
        return (method.DeclaringType == typeof(Scalar) && method.Name == "op_Implicit" && ((MethodInfo)method).ReturnType == typeof(Scalar))
            || (method.DeclaringType == typeof(Tensor)
                && (method.Name == "op_Addition"
                    || (method.Name.StartsWith("op_", StringComparison.Ordinal) && takes.Length == 2 && takes.Any(p => p.ParameterType != typeof(Tensor)))
                    || (_withANumberOfTheirOwn.Contains(method.Name) && takes.Length < 2)));
    }
}
