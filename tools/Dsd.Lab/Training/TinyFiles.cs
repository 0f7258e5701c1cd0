using System.Text.Json;
using System.Text.Json.Nodes;
using Dsd.Common.Files;
using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Writes and reads the embedded model as a pipeline folder in diffusers' layout, weights in bfloat16.</summary>
internal static class TinyFiles
{
    private const string Weights = "diffusion_pytorch_model.safetensors";
    private const string TextWeights = "model.safetensors";
    private static readonly JsonSerializerOptions Snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>FLUX.1-dev's noise schedule.</summary>
    public static SchedulerConfig Schedule { get; } = new() { UseDynamicShifting = true, Shift = 3 };

    public static void SaveVae(string folder, AutoencoderKL vae, VaeConfig config)
    {
        JsonObject json = Json(config, "_class_name", "AutoencoderKL");
        json.Remove("factor");
        int levels = config.BlockOutChannels.Count;
        json["down_block_types"] = new JsonArray([.. Enumerable.Repeat("DownEncoderBlock2D", levels)]);
        json["up_block_types"] = new JsonArray([.. Enumerable.Repeat("UpDecoderBlock2D", levels)]);
        Save(Path.Combine(folder, "vae"), Weights, vae, json);
    }

    /// <summary>The autoencoder of a folder, which does not learn.</summary>
    /// <exception cref="FileNotFoundException">It is not there yet.</exception>
    public static AutoencoderKL LoadVae(string folder, Device device)
    {
        if (!HasVae(folder))
        {
            throw new FileNotFoundException(
                $"'{Path.Combine(folder, "vae")}' holds no autoencoder. Run the stage vae first, or copy the folder 'vae' of another model there.");
        }
        AutoencoderKL vae = new(ModelFolder.OpenParts(folder).ReadConfig<VaeConfig>("vae"), device);
        LoadVae(folder, vae);
        foreach (TorchSharp.Modules.Parameter parameter in vae.parameters())
        {
            parameter.requires_grad = false;
        }
        return vae;
    }

    public static void LoadVae(string folder, AutoencoderKL vae) => Load(Path.Combine(folder, "vae"), vae);

    /// <summary>Whether there is an autoencoder. Its config is written last.</summary>
    public static bool HasVae(string folder) => File.Exists(Path.Combine(folder, "vae", "config.json"));

    public static void SaveTeacher(string folder, TeacherNetworks networks)
    {
        Save(Path.Combine(folder, "transformer"), Weights, networks.Transformer, Json(networks.Transformer.Config, "_class_name", "FluxTransformer2DModel"));
        SaveText(folder, networks.Clip, networks.T5);
    }

    public static void SaveText(string folder, ClipTextModel clip, T5Encoder t5)
    {
        Save(Path.Combine(folder, "text_encoder"), TextWeights, clip, TextJson(clip.Config, "CLIPTextModel", "clip_text_model"));
        Save(Path.Combine(folder, "text_encoder_2"), TextWeights, t5, TextJson(t5.Config, "T5EncoderModel", "t5"));
    }

    /// <summary>Where a model's own student lies.</summary>
    public static string AdapterFile(string folder) => Path.Combine(folder, "dsd", "pytorch_lora_weights.safetensors");

    public static bool HasTeacher(string folder) => Directory.Exists(Path.Combine(folder, "transformer"));

    public static bool HasText(string folder) => Directory.Exists(Path.Combine(folder, "text_encoder_2"));

    public static void LoadTeacher(string folder, TeacherNetworks networks)
    {
        Load(Path.Combine(folder, "transformer"), networks.Transformer);
        LoadText(folder, networks);
    }

    public static void LoadText(string folder, TeacherNetworks networks)
    {
        Load(Path.Combine(folder, "text_encoder"), networks.Clip);
        Load(Path.Combine(folder, "text_encoder_2"), networks.T5);
    }

    /// <summary>The parts that need no training: the index of the folder and the noise schedule, which is FLUX.1-dev's.</summary>
    public static void SaveFrame(string folder)
    {
        string[] transformers(string type) => ["transformers", type];
        string[] diffusers(string type) => ["diffusers", type];
        Write(Path.Combine(folder, "model_index.json"), new Dictionary<string, object?>
        {
            ["_class_name"] = "FluxPipeline",
            ["scheduler"] = diffusers("FlowMatchEulerDiscreteScheduler"),
            ["text_encoder"] = transformers("CLIPTextModel"),
            ["text_encoder_2"] = transformers("T5EncoderModel"),
            ["tokenizer"] = transformers("CLIPTokenizer"),
            ["tokenizer_2"] = transformers("T5Tokenizer"),
            ["transformer"] = diffusers("FluxTransformer2DModel"),
            ["vae"] = diffusers("AutoencoderKL"),
        });
        Write(Path.Combine(folder, "scheduler", "scheduler_config.json"), Json(Schedule, "_class_name", "FlowMatchEulerDiscreteScheduler"));
    }

    private static JsonObject Json<T>(T config, string key, string value)
    {
        JsonObject json = JsonSerializer.SerializeToNode(config, Snake)!.AsObject();
        json[key] = value;
        return json;
    }

    private static JsonObject TextJson<T>(T config, string architecture, string type)
    {
        JsonObject json = Json(config, "model_type", type);
        json["architectures"] = new JsonArray(architecture);
        return json;
    }

    private static void Save(string folder, string file, nn.Module module, JsonObject config)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Dictionary<string, Tensor> tensors = module.state_dict().ToDictionary(p => p.Key, p => p.Value.detach().to(ScalarType.BFloat16).cpu());
        SafetensorsWriter.Write(Path.Combine(folder, file), tensors, new Dictionary<string, string> { ["format"] = "pt" });
        Write(Path.Combine(folder, "config.json"), config);
    }

    private static void Load(string folder, nn.Module module)
    {
        using WeightSource source = WeightSource.Open(folder);
        WeightLoader.Load(module, source);
    }

    private static void Write<T>(string file, T json) =>
        AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, json, Snake));
}
