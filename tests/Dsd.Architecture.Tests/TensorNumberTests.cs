using System.Reflection;
using Dsd.Testing;

namespace Dsd.Architecture.Tests;

/// <summary>Sums of tensors and numbers go through <c>TensorMath</c>: docs/decisions/numbers-of-tensors.md.</summary>
public sealed class TensorNumberTests
{
    [Theory]
    [MemberData(nameof(PublicApiTests.Packages), MemberType = typeof(PublicApiTests))]
    public void APackage_ForgetsNoNumberOfATensor(string package) => Assert.Empty(TensorNumbers.ForgottenIn(Assembly.Load(package)));
}
