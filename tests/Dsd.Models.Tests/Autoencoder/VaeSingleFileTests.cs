using System.Text.RegularExpressions;
using Dsd.Models.Autoencoder;
using Dsd.Models.Benchmark;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Autoencoder;

/// <summary>Weights by the names of <c>ae.safetensors</c>, of which the tests write one from the fixtures' autoencoder.</summary>
public sealed class VaeSingleFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("vae.")]
    public void Load_OfASingleFile_EncodesAndDecodesAsTheSameWeightsInDiffusersLayout(string prefix)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using FluxModel expected = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"));
        Dictionary<string, Tensor> published = Published(expected.Vae, prefix);
        if (prefix.Length > 0)
        {
            published.Add("model.diffusion_model.img_in.weight", zeros(3));
        }
        SafetensorsWriter.Write(File, published);
        using FluxModel other = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"), new PipelineOptions { VaeFile = File });

        manual_seed(3);
        Tensor picture = rand(1, 3, 8 * expected.Vae.Config.Factor, 4 * expected.Vae.Config.Factor);
        TensorAssert.Equal(expected.Vae.Encode(picture).Mean, other.Vae.Encode(picture).Mean);
        Tensor latent = randn(1, expected.Vae.Config.LatentChannels, 8, 4);
        TensorAssert.Equal(expected.Vae.Decode(latent), other.Vae.Decode(latent));
    }

    [Fact]
    public void Load_OfFluxSize_FindsAPlaceForEveryPublishedName()
    {
        // As published: two residual blocks a level and one more in the decoder, shortcuts where channels change, attention in the middle.
        using DisposeScope scope = NewDisposeScope();
        using AutoencoderKL vae = new(Config, new Device(DeviceType.META));
        string[] names = [.. Published(vae, "").Keys];

        Assert.Equal(244, names.Length);
        Assert.Contains("encoder.down.1.block.0.nin_shortcut.weight", names);
        Assert.Contains("decoder.up.3.block.2.conv2.bias", names);
        Assert.Contains("decoder.up.0.block.0.nin_shortcut.weight", names);
        Assert.Contains("decoder.up.1.upsample.conv.weight", names);
        Assert.DoesNotContain("decoder.up.0.upsample.conv.weight", names);
        Assert.Contains("decoder.mid.attn_1.proj_out.bias", names);
    }

    [Fact]
    public void Load_NamesAllThatIsWrong()
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxModel model = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"));
        Dictionary<string, Tensor> published = Published(model.Vae, "");
        published.Remove("decoder.norm_out.bias");
        published.Add("decoder.up.9.block.0.norm1.weight", zeros(3));
        published["encoder.mid.attn_1.q.weight"] = zeros(4, 4, 3, 3);
        SafetensorsWriter.Write(File, published);

        WeightsException e = Assert.Throws<WeightsException>(() => DiffusionModel.Load(Fixtures.Path("tiny-flux"), new PipelineOptions { VaeFile = File }));
        Assert.Contains("Missing: decoder.conv_norm_out.bias", e.Message, StringComparison.Ordinal);
        Assert.Contains("Unexpected: decoder.up.9.block.0.norm1.weight", e.Message, StringComparison.Ordinal);
        Assert.Contains("Ill-fitting: encoder.mid.attn_1.q.weight", e.Message, StringComparison.Ordinal);
    }

    private static VaeConfig Config => RandomModelShape.Dev.Vae;

    private string File => _folder.File("ae.safetensors");

    /// <summary>The weights by the published names, written down here once more, the other way round.</summary>
    private static Dictionary<string, Tensor> Published(AutoencoderKL vae, string prefix)
    {
        int levels = vae.Config.BlockOutChannels.Count;
        (string, MatchEvaluator)[] rules =
        [
            (@"^encoder\.down_blocks\.(\d+)\.resnets\.", m => $"encoder.down.{m.Groups[1].Value}.block."),
            (@"^encoder\.down_blocks\.(\d+)\.downsamplers\.0\.", m => $"encoder.down.{m.Groups[1].Value}.downsample."),
            (@"^decoder\.up_blocks\.(\d+)\.resnets\.", m => $"decoder.up.{levels - 1 - int.Parse(m.Groups[1].Value)}.block."),
            (@"^decoder\.up_blocks\.(\d+)\.upsamplers\.0\.", m => $"decoder.up.{levels - 1 - int.Parse(m.Groups[1].Value)}.upsample."),
            (@"\.mid_block\.resnets\.0\.", _ => ".mid.block_1."),
            (@"\.mid_block\.resnets\.1\.", _ => ".mid.block_2."),
            (@"\.mid_block\.attentions\.0\.group_norm\.", _ => ".mid.attn_1.norm."),
            (@"\.mid_block\.attentions\.0\.to_out\.0\.", _ => ".mid.attn_1.proj_out."),
            (@"\.mid_block\.attentions\.0\.to_([qkv])\.", m => $".mid.attn_1.{m.Groups[1].Value}."),
            (@"\.conv_norm_out\.", _ => ".norm_out."),
            (@"\.conv_shortcut\.", _ => ".nin_shortcut."),
        ];
        Dictionary<string, Tensor> published = [];
        foreach ((string name, Tensor tensor) in vae.state_dict())
        {
            string own = rules.Aggregate(name, (n, rule) => Regex.Replace(n, rule.Item1, rule.Item2));
            bool convolved = own.Contains(".attn_1.", StringComparison.Ordinal)
                && !own.Contains(".norm.", StringComparison.Ordinal)
                && own.EndsWith(".weight", StringComparison.Ordinal);
            published.Add(prefix + own, convolved ? tensor[.., .., TensorIndex.None, TensorIndex.None] : tensor);
        }
        return published;
    }
}
