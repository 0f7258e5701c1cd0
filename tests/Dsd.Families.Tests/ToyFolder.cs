using System.Text.Json.Nodes;
using Dsd.Models.Autoencoder;
using Dsd.Models.Families;
using Dsd.Models.Layers;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Onnx.Families;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Families.Tests;

/// <summary>A toy model's folder with random weights, and both families registered.</summary>
public sealed class ToyFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    static ToyFolder()
    {
        ModelFamilies.Register(new ToyFamily());
        OnnxFamilies.Register(new ToyOnnx());
    }

    public ToyFolder()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (string part in new[] { "text_encoder", "tokenizer", "scheduler" })
        {
            Directory.CreateDirectory(File(part));
            foreach (string file in Directory.EnumerateFiles(Fixtures.Own("tiny-flux", part)))
            {
                System.IO.File.Copy(file, File(part, System.IO.Path.GetFileName(file)));
            }
        }
        System.IO.File.WriteAllText(File("model_index.json"), """{"_class_name":"ToyPipeline"}""");
        JsonObject vae = JsonNode.Parse(System.IO.File.ReadAllText(Fixtures.Own("tiny-flux", "vae", "config.json")))!.AsObject();
        vae["latent_channels"] = 6;
        Write("vae", vae.ToJsonString(), new AutoencoderKL(Config<VaeConfig>("vae", vae)));
        ToyNetwork network = new(channels: 6, text: ModelFolder.OpenParts(Path).ReadConfig<ClipTextConfig>("text_encoder").HiddenSize, conditional: false);
        using Generator generator = new(7, CPU);
        foreach (AdaptableLinear linear in network.Linears().Values)
        {
            linear.Initialize(generator);
        }
        Write("transformer", "{}", network);
    }

    public string Path => _folder.Path;

    public string File(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose() => _folder.Dispose();

    private T Config<T>(string component, JsonObject config)
    {
        Directory.CreateDirectory(File(component));
        System.IO.File.WriteAllText(File(component, "config.json"), config.ToJsonString());
        return ModelFolder.OpenParts(Path).ReadConfig<T>(component);
    }

    private void Write(string component, string config, nn.Module network)
    {
        Directory.CreateDirectory(File(component));
        System.IO.File.WriteAllText(File(component, "config.json"), config);
        SafetensorsWriter.Write(File(component, "diffusion_pytorch_model.safetensors"), network.state_dict().Select(e => KeyValuePair.Create(e.Key, e.Value)));
        network.Dispose();
    }
}
