using System.Reflection;
using Mono.Cecil;
using TorchSharp;

namespace Dsd.Testing;

/// <summary>Finds calls of TorchSharp that forget a number while libtorch reads it: docs/decisions/numbers-of-tensors.md.</summary>
public static class TensorNumbers
{
    private static readonly Lazy<HashSet<string>> _forgetful = new(Forgetful);

    /// <summary>Those that an assembly makes, each with the method that makes it.</summary>
    public static IReadOnlyList<string> ForgottenIn(Assembly assembly)
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(assembly.Location);
        return [.. Methods(module).SelectMany(m => Calls(m).Where(_forgetful.Value.Contains).Select(call => $"{m.FullName} calls {call}")).Distinct()];
    }

    /// <summary>What makes a number out of another value, and the functions of tensors that do so themselves, or through others.</summary>
    private static HashSet<string> Forgetful()
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(typeof(torch).Assembly.Location);
        Dictionary<string, string[]> calls = Methods(module).ToDictionary(m => m.FullName, m => Calls(m).ToArray());
        HashSet<string> forgetful = [.. calls.Keys.Where(name => name.Contains("TorchSharp.Scalar::op_Implicit", StringComparison.Ordinal))];
        string[] held = [.. calls.Keys.Where(name => name.Contains("::ToScalar(", StringComparison.Ordinal))];
        HashSet<string> makers = [.. forgetful, .. held];
        while (calls.Where(c => !makers.Contains(c.Key) && c.Value.Any(makers.Contains)).Select(c => c.Key).ToArray() is { Length: > 0 } more)
        {
            makers.UnionWith(more);
        }
        // What is made by ToScalar belongs to the caller. A TorchScript function is given such numbers here.
        forgetful.UnionWith(makers.Except(held).Where(name => !name.Contains("CompilationUnit::invoke", StringComparison.Ordinal)));
        return forgetful;
    }

    private static IEnumerable<MethodDefinition> Methods(ModuleDefinition module) => module.GetTypes().SelectMany(t => t.Methods).Where(m => m.HasBody);

    private static IEnumerable<string> Calls(MethodDefinition method) =>
        method.Body.Instructions.Select(i => i.Operand).OfType<MethodReference>().Select(called => called.GetElementMethod().FullName);
}
