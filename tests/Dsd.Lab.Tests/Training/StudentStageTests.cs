using Dsd.Lab.Tests.Study.Baselines;
using Dsd.Lab.Training;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public class StudentStageTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void StartCondition_IsWhatANewAdapterBeginsWith(double factor)
    {
        using SmallTeacher teacher = new();
        using FluxModel model = (FluxModel)DiffusionModel.LoadConditional(teacher.Folder);
        Dictionary<string, Tensor> before = model.Network.named_parameters().ToDictionary(p => p.name, p => p.parameter.detach().clone());

        StudentStage.StartCondition(model.Network, factor);

        using LoraAdapter adapter = LoraAdapter.Create(model.Network, new LoraOptions { Rank = 2 });
        foreach (string part in (string[])["weight", "bias"])
        {
            Assert.True(adapter.Whole[$"c_embedder.{part}"].allclose(before[$"x_embedder.{part}"] * factor, 0, 0));
        }
        Assert.All(
            model.Network.named_parameters().Where(p => !p.name.StartsWith("c_embedder.", StringComparison.Ordinal)),
            p => Assert.True(p.parameter.allclose(before[p.name], 0, 0), p.name));
    }
}
