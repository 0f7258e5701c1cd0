using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Dsd.Tools.Commands;

/// <summary>The examples below a command's help, by its words. A test parses each.</summary>
internal static class HelpExamples
{
    /// <summary>The examples, without the program's name.</summary>
    public static IReadOnlyDictionary<string, string[]> All { get; } = new Dictionary<string, string[]>
    {
        [""] =
        [
            "run samples/loop/loop.yaml", "doctor --model FLUX.1-dev --device cuda", "generate --model tiny --prompt \"a red fox in the snow\" --out fox.png",
        ],
        ["inspect"] = ["inspect FLUX.1-dev", "inspect toy.safetensors --all", "inspect dsd-onnx --verify --json"],
        ["doctor"] = ["doctor --model tiny", "doctor --model FLUX.1-dev --dsd dsd_model --lora dsd_model/pytorch_lora_weights.safetensors --device cuda"],
        ["run"] = ["run loop.yaml", "run loop.yaml --dry-run", "run loop.yaml --from train --until export", "run flux-dev.yaml --separate --json"],
        ["export"] =
        [
            "export --model tiny --out tiny-onnx",
            "export --model FLUX.1-dev --dsd dsd_model --lora dsd_model/pytorch_lora_weights.safetensors --precision float16 --provider cuda --out dsd-onnx",
            "export --encoder dinov2-small --out encoders/dinov2",
        ],
        ["merge"] = ["merge --onnx base --lora toy.safetensors --lora style.safetensors:0.6 --out toy-onnx"],
        ["generate"] =
        [
            "generate --model tiny --image fox.png --prompt \"a red fox in the snow\" --out snow.png",
            "generate --onnx dsd-onnx --device cuda,cpu --image my-toy.jpg --prompt \"the toy rides a train at sunset\" --seed 7 --count 4 --out toy.png",
        ],
        ["serve"] =
        [
            "serve --model tiny", "serve --onnx dsd-onnx --device cuda --port 8080",
            "serve --model FLUX.1-dev --dsd dsd_model --device cuda --address 0.0.0.0 --token-variable DSD_TOKEN",
        ],
        ["dataset write"] = ["dataset write run --out pairs", "dataset write run --format webdataset --jpeg 95 --least-confidence 0.9 --out pairs"],
        ["dataset preferences"] = ["dataset preferences run --most-per-reference 2 --out preferences"],
        ["dataset inspect"] = ["dataset inspect pairs", "dataset inspect pairs --captions 20 --json"],
        ["review"] = ["review run", "review run --report agreement"],
        ["curate run"] =
        [
            "curate run --captions tiny --count 24 --out run",
            "curate run --captions captions.jsonl --task character --model FLUX.1-dev --device cuda --batch 4 --chat chat.json --out run",
        ],
        ["curate serve"] = ["curate serve --captions captions.jsonl --out run --address 10.0.0.5"],
        ["curate work"] = ["curate work --connect 10.0.0.5:11111 --model FLUX.1-dev --device cuda --chat chat.json"],
        ["curate merge"] = ["curate merge --out whole shard1 shard2"],
        ["curate status"] = ["curate status run", "curate status run --json"],
        ["curate axes"] = ["curate axes run --chat chat.json --kept-only"],
        ["curate survival"] = ["curate survival run --prices prices.json --out survival"],
        ["train"] =
        [
            "train --model tiny --pairs pairs --out lora --steps 60",
            "train --model FLUX.1-dev --device cuda --pairs pairs --rank 128 --targets all --plan",
            "train --options train.yaml --steps 5000",
        ],
        ["evaluate"] =
        [
            "evaluate --metrics clip-i,dino --references references --generated outputs/mine --encoders encoders/clip encoders/dino --out scores",
            "evaluate --metrics cp,pf --references references --generated ours theirs --prompts prompts.json --chat chat.json --out scores --json",
        ],
        ["bench flux"] = ["bench flux", "bench flux --size dev --device cuda --float8"],
        ["bench generate"] = ["bench generate", "bench generate --size dev --device cuda --work scratch --backend onnx --precision float32"],
        ["bench train"] = ["bench train --steps 10", "bench train --size dev --device cuda --setting float8"],
        ["bench curation"] = ["bench curation --pairs 200 --json curation.json"],
        ["bench curation-server"] = ["bench curation-server --latency 50"],
        ["bench model"] = ["bench model --size dev --out flux-dev-random"],
        ["completion"] = ["completion bash"],
    };

    /// <summary>Puts the examples below the help.</summary>
    public static void AddTo(RootCommand root, Terminal terminal)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new Examples((HelpAction)help.Action!, terminal);
    }

    private static string PathOf(System.CommandLine.Parsing.CommandResult command) =>
        command.Parent is System.CommandLine.Parsing.CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}".Trim() : "";

    private sealed class Examples(HelpAction inner, Terminal terminal) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int exitCode = inner.Invoke(parseResult);
            if (All.TryGetValue(PathOf(parseResult.CommandResult), out string[]? examples))
            {
                terminal.Output.WriteLine("Examples:");
                foreach (string example in examples)
                {
                    terminal.Output.WriteLine($"  dsd {example}");
                }
                terminal.Output.WriteLine();
            }
            return exitCode;
        }

        // Arguments that are missing are no fault where help is asked for.
        public override bool ClearsParseErrors => true;
    }
}
