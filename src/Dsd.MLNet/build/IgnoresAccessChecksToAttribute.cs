namespace System.Runtime.CompilerServices;

/// <summary>Tells the runtime to let this assembly use another one's internal members. The runtime knows the attribute by its name alone.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;
}
