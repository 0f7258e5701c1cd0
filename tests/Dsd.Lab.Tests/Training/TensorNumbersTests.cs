using Dsd.Lab.Training;
using Dsd.Testing;

namespace Dsd.Lab.Tests.Training;

public sealed class TensorNumbersTests
{
    [Fact]
    public void NothingHereForgetsANumber() => Assert.Empty(TensorNumbers.ForgottenIn(typeof(PictureBatch).Assembly));
}
