using System.Diagnostics;
using System.Text.Json;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Lora;

/// <summary>What PEFT's config of an adapter means. The rules are those of PEFT 0.21 (5d602fd) and diffusers 0.40 (58eb52c).</summary>
public sealed class PeftConfigTests : IDisposable
{
    private const string BlockOut = "single_transformer_blocks.0.proj_out";
    private const string BlockQ = "single_transformer_blocks.0.attn.to_q";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // peft/utils/other.py, get_pattern_key: re.match(rf"(.*\.)?({key})$", name).
    [Theory]
    [InlineData("proj_out", "proj_out", true)]
    [InlineData("proj_out", BlockOut, true)]
    [InlineData("^proj_out", "proj_out", true)]
    [InlineData("^proj_out", BlockOut, false)]
    [InlineData("^proj_out$", "proj_out", true)]
    [InlineData("^proj_out$", BlockOut, false)]
    [InlineData("proj", BlockOut, false)]
    [InlineData("out", BlockOut, false)]
    [InlineData("single_transformer_blocks", BlockOut, false)]
    [InlineData("blocks.0.proj_out", BlockOut, false)]
    [InlineData("0.proj_out", BlockOut, true)]
    [InlineData("attn.to_q", "attn_to_q", true)] // the point is any character
    [InlineData(@"attn\.to_q", "attn_to_q", false)]
    [InlineData(@"single_transformer_blocks\.\d+\.attn\.to_q", BlockQ, true)]
    [InlineData(@"transformer_blocks\.\d+\.attn\.to_q", BlockQ, false)]
    [InlineData(@".*\.to_[qkv]", BlockQ, true)]
    [InlineData("to_k|to_q", BlockQ, true)]
    [InlineData("to_k|to_v", BlockQ, false)]
    [InlineData(@".*blocks\.(?!0\.).*", BlockQ, false)]
    [InlineData(@"(?:attn|norm)\.to_q{1}", BlockQ, true)]
    [InlineData("TO_Q", BlockQ, false)]
    public void Patterns_MatchAsPeftMatchesThem(string key, string module, bool matches)
    {
        PeftPatterns patterns = new();
        patterns.Add(key, 40);

        Assert.Equal(matches ? 40 : null, patterns.Find(module));
    }

    [Fact]
    public void Patterns_TheFirstThatMatchesCounts()
    {
        PeftPatterns patterns = new();
        patterns.Add("to_.*", 1);
        patterns.Add("to_q", 2);

        Assert.Equal(1, patterns.Find(BlockQ));
    }

    [Theory]
    [InlineData("(")]
    [InlineData("a**")]
    [InlineData("(?<name>to_q)")] // not Python's
    [InlineData("(?P<name>to_q)")] // not .NET's
    [InlineData("(?i)to_q")]
    [InlineData("to_q{,2}")] // a repetition in Python, letters in .NET
    [InlineData(@"\p{L}+")]
    [InlineData("[a-z-[aeiou]]+")] // a subtraction in .NET
    public void Patterns_ThatPythonAndThisReadDifferently_AreRefused(string key)
    {
        string pattern = JsonSerializer.Serialize(key);
        string message = Refusal(
            $$"""{ "transformer.r": 4, "transformer.lora_alpha": 4, "transformer.alpha_pattern": { {{pattern}}: 40 } }""", BlockQ);

        Assert.Contains($"'{key}'", message, StringComparison.Ordinal);
        Assert.Contains("alpha_pattern", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Patterns_ThatNeverEnd_AreGivenUp()
    {
        Stopwatch time = Stopwatch.StartNew();

        string message = Refusal(
            """{ "transformer.r": 4, "transformer.lora_alpha": 4, "transformer.rank_pattern": { "(((\\w|\\d|_)+)+)+!": 40 } }""",
            new string('a', 60));

        Assert.Contains("quick to match", message, StringComparison.Ordinal);
        Assert.InRange(time.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void Load_OfAnAnchoredAlpha_TakesItForTheTopLayerAlone()
    {
        using LoraAdapter adapter = Load(
            """{ "transformer.r": 4, "transformer.lora_alpha": 4, "transformer.alpha_pattern": { "^proj_out": 40 } }""",
            "proj_out",
            BlockOut);

        Assert.Equal((40, 4), (adapter.Factors["proj_out"].Alpha, adapter.Factors[BlockOut].Alpha));
    }

    [Fact]
    public void Load_OfAnAnchoredRank_ChecksTheTopLayerAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = Pair("transformer.proj_out", 2);
        tensors = tensors.Concat(Pair($"transformer.{BlockOut}", 4)).ToDictionary();
        Write("""{ "transformer.r": 4, "transformer.lora_alpha": 4, "transformer.rank_pattern": { "^proj_out": 2 } }""", tensors);

        using LoraAdapter adapter = LoraAdapter.Load(File);

        Assert.Equal((2, 4), (adapter.Factors["proj_out"].Rank, adapter.Factors[BlockOut].Rank));
    }

    [Fact]
    public void Load_OfPeftsFolderWithBflNames_ReadsPatternsInThoseNames()
    {
        using LoraAdapter adapter = LoadFolder(
            """{ "peft_type": "LORA", "r": 4, "lora_alpha": 4, "alpha_pattern": { "img_attn.qkv": 40 } }""",
            Triple("base_model.model.double_blocks.0.img_attn.qkv"), Pair("base_model.model.double_blocks.0.img_attn.proj", 4));

        Assert.Equal([40, 40, 40, 4], "q k v out.0".Split(' ').Select(p => adapter.Factors[$"transformer_blocks.0.attn.to_{p}"].Alpha));
    }

    [Fact]
    public void Load_OfPatternsWithKohyasNames_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> pair = Pair("lora_unet_double_blocks_0_img_attn_proj", 4).ToDictionary(
            p => p.Key.Replace("lora_A", "lora_down", StringComparison.Ordinal).Replace("lora_B", "lora_up", StringComparison.Ordinal), p => p.Value);
        Write("""{ "transformer.r": 4, "transformer.lora_alpha": 4, "transformer.alpha_pattern": { "proj": 40 } }""", pair);

        Assert.Contains("names with underscores", Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SaveAndLoad_KeepTheTopLayersOwnAlpha()
    {
        using (LoraAdapter adapter = Load(
            """{ "transformer.r": 4, "transformer.lora_alpha": 4, "transformer.alpha_pattern": { "^proj_out": 40 } }""",
            "proj_out",
            BlockOut,
            BlockQ))
        {
            adapter.Save(_folder.File("again.safetensors"));
        }

        using LoraAdapter again = LoraAdapter.Load(_folder.File("again.safetensors"));

        Assert.Equal([("proj_out", 40f), (BlockQ, 4f), (BlockOut, 4f)], again.Factors.Select(f => (f.Key, f.Value.Alpha)));
    }

    [Theory]
    [InlineData("\"use_rslora\": true", 16)] // alpha over the rank's root: 8 / √4 = 16 / 4
    [InlineData("\"use_rslora\": false", 8)]
    [InlineData("\"lora_alpha\": null", 8)] // PEFT's own default
    public void Load_ComputesAlphaAsPeftDoes(string field, float alpha)
    {
        string rest = field.Contains("lora_alpha", StringComparison.Ordinal) ? "" : ", \"lora_alpha\": 8";
        using LoraAdapter adapter = LoadFolder($$"""{ "r": 4, {{field}}{{rest}} }""", Pair($"base_model.model.{BlockQ}", 4));

        Assert.Equal(alpha, adapter.Factors[BlockQ].Alpha);
    }

    [Fact]
    public void Load_OfMetadataWithoutPrefix_ReadsIt()
    {
        // diffusers, loaders/peft.py, save_lora_adapter: the network's own config, and keys without a prefix.
        using DisposeScope scope = NewDisposeScope();
        Write("""{ "r": 4, "lora_alpha": 12, "alpha_pattern": {} }""", Pair(BlockQ, 4));

        using LoraAdapter adapter = LoraAdapter.Load(File);

        Assert.Equal(12, adapter.Factors[BlockQ].Alpha);
    }

    // Each of these starts takes the adapter away from the base weights (peft/tuners/lora/layer.py), or quantises them.
    [Theory]
    [InlineData("pissa")]
    [InlineData("pissa_niter_16")]
    [InlineData("olora")]
    [InlineData("OLoRA")]
    [InlineData("corda")]
    [InlineData("lora_ga")]
    [InlineData("loftq")]
    public void Load_OfAStartThatChangedTheBaseWeights_IsRefused(string start)
    {
        string message = Refusal($$"""{ "transformer.r": 4, "transformer.lora_alpha": 8, "transformer.init_lora_weights": "{{start}}" }""", BlockQ);

        Assert.Contains("whose start changed them", message, StringComparison.Ordinal);
        Assert.Contains($"'{start}'", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"use_dora\": true", "DoRA")]
    [InlineData("\"use_dora\": \"yes\"", "DoRA")]
    [InlineData("\"lora_bias\": true", "lora_bias")]
    [InlineData("\"use_qalora\": true", "QALoRA")]
    [InlineData("\"use_bdlora\": { \"nblocks\": 2 }", "BD-LoRA")]
    [InlineData("\"layer_replication\": [[0, 4], [2, 5]]", "layer_replication")]
    [InlineData("\"megatron_config\": { \"x\": 1 }", "Megatron")]
    [InlineData("\"trainable_token_indices\": [5]", "trained tokens")]
    [InlineData("\"target_parameters\": [\"experts.w\"]", "target_parameters")]
    [InlineData("\"alora_invocation_tokens\": [1, 2]", "activated LoRA")]
    [InlineData("\"arrow_config\": { \"top_k\": 3 }", "Arrow")]
    [InlineData("\"monteclora_config\": { \"num_samples\": 8 }", "MonteCLoRA")]
    [InlineData("\"velora_config\": { \"num_groups\": 64 }", "VeLoRA")]
    [InlineData("\"kasa_config\": { \"beta\": 1 }", "KaSA")]
    [InlineData("\"peft_type\": \"LOKR\"", "'LOKR'")]
    [InlineData("\"init_lora_weights\": \"new_idea\"", "'new_idea'")]
    [InlineData("\"use_rslora\": 1", "true or false")]
    [InlineData("\"bias\": \"all\"", "trained biases")]
    [InlineData("\"bias\": \"lora_only\"", "trained biases")]
    [InlineData("\"modules_to_save\": [\"c_embedder\"]", "'c_embedder' whole")]
    [InlineData("\"modules_to_save\": \"c_embedder\"", "a list of names")]
    [InlineData("\"target_modules\": [\"to_k\"]", "by 'target_modules'")] // check_target_module_exists: PEFT would pass the factors over
    [InlineData("\"target_modules\": \"to_q\"", "by 'target_modules'")] // a string is for the whole name
    [InlineData("\"target_modules\": [\"to_q\"], \"exclude_modules\": [\"attn.to_q\"]", "by 'exclude_modules'")]
    [InlineData("\"exclude_modules\": \"single_.*\"", "by 'exclude_modules'")]
    [InlineData("\"target_modules\": [\"to_q\"], \"layers_to_transform\": [1]", "by 'layers_to_transform'")]
    [InlineData("\"target_modules\": \"(\"", "no regular expression")]
    [InlineData("\"alpha_pattern\": [1]", "an object")]
    [InlineData("\"alpha_pattern\": { \"to_q\": 0 }", "a positive number as 'alpha_pattern.to_q'")]
    [InlineData("\"lora_alpha\": -1", "a positive number as 'lora_alpha'")]
    [InlineData("\"lora_alpha\": 1e400", "a positive number as 'lora_alpha'")]
    [InlineData("\"lora_alpha\": NaN", "JSON as the adapter's config")]
    public void Load_OfFieldsThatChangeTheComputation_IsRefused(string field, string said)
    {
        using DisposeScope scope = NewDisposeScope();
        string alpha = field.Contains("lora_alpha", StringComparison.Ordinal) ? "" : ", \"lora_alpha\": 8";

        WeightsException e = Assert.ThrowsAny<WeightsException>(
            () => LoadFolder($$"""{ "r": 4, {{field}}{{alpha}} }""", Pair($"base_model.model.{BlockQ}", 4)));

        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"init_lora_weights\": \"gaussian\"")]
    [InlineData("\"init_lora_weights\": \"eva\", \"eva_config\": { \"rho\": 2.0 }")]
    [InlineData("\"init_lora_weights\": \"orthogonal\"")]
    [InlineData("\"init_lora_weights\": \"mica\"")]
    [InlineData("\"init_lora_weights\": false, \"loftq_config\": {}, \"corda_config\": null")]
    [InlineData("\"lora_dropout\": 0.1, \"inference_mode\": true, \"task_type\": \"X\", \"base_model_name_or_path\": \"a/b\"")]
    [InlineData("\"fan_in_fan_out\": true, \"megatron_core\": \"megatron.core\", \"qalora_group_size\": 16, \"ensure_weight_tying\": true")]
    [InlineData("\"use_dora\": false, \"use_qalora\": null, \"target_parameters\": [], \"layer_replication\": null, \"bias\": \"none\"")]
    [InlineData("\"target_modules\": [\"to_q\"], \"exclude_modules\": null, \"layers_to_transform\": null")]
    [InlineData("\"target_modules\": \".*attn\\\\.to_[qkv]\", \"exclude_modules\": [\"to_k\"]")]
    [InlineData("\"target_modules\": \"all-linear\", \"layers_to_transform\": []")]
    public void Load_OfFieldsThatChangeNothing_Loads(string fields)
    {
        using LoraAdapter adapter = LoadFolder($$"""{ "r": 4, "lora_alpha": 8, {{fields}} }""", Pair($"base_model.model.{BlockQ}", 4));

        Assert.Equal(8, adapter.Factors[BlockQ].Alpha);
        Assert.Empty(adapter.Remarks);
    }

    [Fact]
    public void Load_OfFieldsOfLaterVersions_SaysThatTheyWerePassedOver()
    {
        // peft/config.py, from_peft_type: unexpected fields are dropped with a warning.
        using LoraAdapter adapter = LoadFolder(
            """{ "r": 4, "lora_alpha": 8, "use_tomorrow": true, "tomorrow_config": null }""", Pair($"base_model.model.{BlockQ}", 4));

        Assert.Contains("use_tomorrow", Assert.Single(adapter.Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfSavedModulesAndBiases_TakesThemWhole()
    {
        Dictionary<string, Tensor> rest = new()
        {
            ["base_model.model.c_embedder.weight"] = ones(4, 4),
            [$"base_model.model.{BlockQ}.base_layer.bias"] = ones(4),
        };

        using LoraAdapter adapter = LoadFolder(
            """{ "r": 4, "lora_alpha": 8, "bias": "all", "modules_to_save": ["c_embedder"] }""", Pair($"base_model.model.{BlockQ}", 4), rest);

        Assert.Equal(["c_embedder.weight", $"{BlockQ}.bias"], adapter.Whole.Keys);
    }

    [Theory]
    [InlineData(4f, true)]
    [InlineData(4.01f, true)] // rounded when it was stored
    [InlineData(8f, false)]
    public void Load_OfTwoAlphas_WantsThemToBeOne(float stored, bool loads)
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = Pair($"transformer.{BlockQ}", 4);
        tensors.Add($"transformer.{BlockQ}.alpha", tensor(stored));
        Write("""{ "transformer.r": 4, "transformer.lora_alpha": 4 }""", tensors);

        if (loads)
        {
            using LoraAdapter adapter = LoraAdapter.Load(File);
            Assert.Equal(stored, adapter.Factors[BlockQ].Alpha);
        }
        else
        {
            Assert.Contains("one alpha for", Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Load_OfMetadataForAnotherNetwork_IsRefused() =>
        Assert.Contains("unet.r", Refusal("""{ "unet.r": 4, "unet.lora_alpha": 40 }""", BlockQ), StringComparison.Ordinal);

    [Fact]
    public void Load_OfAnAdaptersOwnNameInKeys_PassesItOver_ButNotTwo()
    {
        using DisposeScope scope = NewDisposeScope();
        Write(null, new() { [$"{BlockQ}.lora_A.mine.weight"] = ones(4, 4), [$"{BlockQ}.lora_B.mine.weight"] = ones(4, 4) });
        using (LoraAdapter adapter = LoraAdapter.Load(File))
        {
            Assert.Equal([BlockQ], adapter.Factors.Keys);
        }

        Write(null, new()
        {
            ["proj_out.lora_A.mine.weight"] = ones(4, 4),
            ["proj_out.lora_B.mine.weight"] = ones(4, 4),
            [$"{BlockQ}.lora_A.yours.weight"] = ones(4, 4),
            [$"{BlockQ}.lora_B.yours.weight"] = ones(4, 4),
        });
        Assert.Contains("'mine', 'yours'", Assert.Throws<WeightsException>(() => LoraAdapter.Load(File)).Message, StringComparison.Ordinal);
    }

    private string File => _folder.File("adapter.safetensors");

    private string Refusal(string metadata, params string[] modules) => Assert.ThrowsAny<WeightsException>(() => Load(metadata, modules).Dispose()).Message;

    private LoraAdapter Load(string metadata, params string[] modules)
    {
        using DisposeScope scope = NewDisposeScope();
        Write(metadata, modules.SelectMany(m => Pair($"transformer.{m}", 4)).ToDictionary());
        return LoraAdapter.Load(File);
    }

    private LoraAdapter LoadFolder(string config, params Dictionary<string, Tensor>[] tensors)
    {
        using DisposeScope scope = NewDisposeScope();
        string file = _folder.File("adapter_model.safetensors");
        SafetensorsWriter.Write(file, tensors.SelectMany(t => t), metadata: null);
        System.IO.File.WriteAllText(_folder.File("adapter_config.json"), config);
        return LoraAdapter.Load(file);
    }

    private static Dictionary<string, Tensor> Pair(string module, long rank) =>
        new() { [$"{module}.lora_A.weight"] = ones(rank, 4), [$"{module}.lora_B.weight"] = ones(4, rank) };

    private static Dictionary<string, Tensor> Triple(string module) =>
        new() { [$"{module}.lora_A.weight"] = ones(4, 4), [$"{module}.lora_B.weight"] = ones(12, 4) };

    private void Write(string? metadata, Dictionary<string, Tensor> tensors) => SafetensorsWriter.Write(
        File, tensors, metadata is null ? null : new Dictionary<string, string> { ["lora_adapter_metadata"] = metadata });
}
