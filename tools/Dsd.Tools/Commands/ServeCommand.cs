using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using Dsd.Extensions.AI;
using Dsd.Models.Families;
using Dsd.Models.Sampling;
using Dsd.Serving;
using Dsd.Tools.Serving;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd serve</c>: pictures over HTTP, for OpenAI's clients and for people with a browser.</summary>
internal sealed class ServeCommand
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly Dictionary<string, ImageSource> Sources = new()
    {
        ["reference"] = ImageSource.Reference,
        ["text"] = ImageSource.Text,
        ["either"] = ImageSource.Either,
    };

    private readonly Terminal _terminal;
    private readonly TorchModelOptions _torch = new([.. OnnxModelOptions.Modes.Keys]);
    private readonly OnnxModelOptions _onnx;
    private readonly Option<string> _device = OnnxModelOptions.CreateDevice();
    private readonly Option<string?> _from = new("--from")
    {
        Description = "What pictures are drawn from: a reference, text, or either, for which '--model' loads two models. If left out, a reference if the "
            + "model takes one.",
        HelpName = string.Join('|', Sources.Keys),
    };
    private readonly Option<int> _port = new("--port") { Description = "The port; 0 takes any free one.", HelpName = "N", DefaultValueFactory = _ => 8080 };
    private readonly Option<string?> _address = new("--address")
    {
        Description = "The address to listen on, such as 0.0.0.0 for all of this machine's. If left out, 127.0.0.1: this machine alone. Others need a token.",
        HelpName = "IP",
    };
    private readonly Option<string?> _token = new("--token-variable")
    {
        Description = "The environment variable that holds the token which callers must send, at least 16 characters.",
        HelpName = "NAME",
    };
    private readonly Option<int> _waiting = new Option<int>("--queue")
    {
        Description = "How many requests may wait while one is drawn; those beyond are answered 429.",
        HelpName = "N",
        DefaultValueFactory = _ => new DsdServingOptions().MaxWaiting,
    }.Between(0, 1000);
    private readonly Option<int?> _steps = new Option<int?>("--steps")
    {
        Description = "Steps where a request says nothing; 28 if left out.",
        HelpName = "N",
    }.Between(1, 1000);
    private readonly Option<PictureSize?> _size = PictureSize.Option(
        "Size of a picture where a request says nothing. A request may ask for four times as many pixels.");
    private readonly Option<string?> _otlp = new("--otlp")
    {
        Description = $"Where metrics and traces go by OTLP, such as http://localhost:4317; the variable {EndpointVariable} if left out.",
        HelpName = "URL",
    };

    private ServeCommand(Terminal terminal)
    {
        _terminal = terminal;
        _onnx = new OnnxModelOptions(_torch.Memory, _device);
        _from.AcceptOnlyFromAmong([.. Sources.Keys]);
    }

    public static Command Create(Terminal terminal)
    {
        ServeCommand serve = new(terminal);
        Command command = new("serve", "Draw over HTTP: OpenAI's image endpoints, and a page to draw with.")
        {
            serve._port, serve._address, serve._token, serve._waiting, serve._from, serve._size, serve._steps, serve._otlp, serve._device,
        };
        serve._onnx.AddTo(command);
        serve._torch.AddTo(command);
        command.SetAction(serve.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        ImageServerOptions options = ServerOptions(parsed);
        (ImageModel model, DsdOptions frame) = Model(parsed);
        DsdOptions sized = CheckedOptions.Build(() => Framed(parsed, frame));
        DsdImageGenerator generator = await Task.Run(
            () => DsdImageGenerator.Open(model, new DsdImageGeneratorOptions { Frame = sized, MaxSteps = Math.Max(100, sized.Steps) }), cancel);
        await using ImageServer server = await ImageServer.StartAsync(generator, options, cancel);
        // Nobody can press Ctrl-C in a terminal that is gone.
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using PosixSignalRegistration? hangup = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            ended.Cancel();
        });
        _terminal.Output.WriteLine(server.Address);
        _terminal.Error.WriteLine($"'{generator.ModelId}' is served: a page at this address, OpenAI's image endpoints below v1. Ctrl-C ends it.");
        try
        {
            await Task.Delay(Timeout.Infinite, ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The way in which serving ends.
        }
        return ExitCode.Done;
    }

    private ImageServerOptions ServerOptions(ParseResult parsed)
    {
        IPAddress address = parsed.GetValue(_address) is not { } text
            ? IPAddress.Loopback
            : IPAddress.TryParse(text, out IPAddress? given)
                ? given
                : throw new UsageException($"Option '--address' must be an IP address such as 127.0.0.1, but is '{text}'.");
        string? token = parsed.GetValue(_token) is { } name ? TokenOf(name) : null;
        if (token is null && !IPAddress.IsLoopback(address))
        {
            throw new UsageException(
                $"'--address {address}' is open to other machines, so callers need a token: name an environment variable that holds one with '{_token.Name}'.");
        }
        int port = parsed.GetValue(_port);
        if (port is < 0 or > 65535)
        {
            throw new UsageException($"Option '--port' must lie between 0 and 65535, but is {port}.");
        }
        return new ImageServerOptions(address, port, new DsdServingOptions { Token = token, MaxWaiting = parsed.GetValue(_waiting) }, Telemetry(parsed));
    }

    private static string TokenOf(string variable)
    {
        string? token = Environment.GetEnvironmentVariable(variable);
        try
        {
            return new DsdServingOptions
            {
                Token = token ?? throw new UsageException($"'--token-variable' names {variable}, but there is no such environment variable."),
            }.Token!;
        }
        catch (ArgumentException)
        {
            throw new UsageException(
                $"The environment variable {variable} must hold a token of at least {DsdServingOptions.LeastTokenCharacters} characters, all of them "
                    + "visible ones of ASCII.");
        }
    }

    private Dictionary<string, string?>? Telemetry(ParseResult parsed)
    {
        Dictionary<string, string?> settings = [];
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && name.StartsWith("OTEL_", StringComparison.Ordinal))
            {
                settings[name] = variable.Value as string;
            }
        }
        if (parsed.GetValue(_otlp) is { } url)
        {
            settings[EndpointVariable] = Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
                ? url
                : throw new UsageException($"Option '--otlp' must be an http or https address such as http://localhost:4317, but is '{url}'.");
        }
        return settings.GetValueOrDefault(EndpointVariable) is { Length: > 0 } ? settings : null;
    }

    private (ImageModel Model, DsdOptions Frame) Model(ParseResult parsed)
    {
        ImageSource? source = parsed.GetValue(_from) is { } word ? Sources[word] : null;
        (string? onnx, string? model) = (_onnx.Folder(parsed), _torch.Model(parsed));
        if (onnx is null == model is null)
        {
            throw new UsageException($"Name the model either with '--onnx' or with '--model', but {(onnx is null ? "neither" : "both")} was given.");
        }
        if (onnx is not null)
        {
            Onnx.Runtime.OnnxModelFolder folder = Onnx.Runtime.OnnxModelFolder.Open(onnx);
            OnnxImageModel exported = new(onnx) { Runtime = _onnx.Runtime(parsed, _terminal.Warn), Adapters = _torch.Loras(parsed), Source = source };
            return (exported, new DsdOptions { Width = folder.FrameWidth, Height = folder.FrameHeight });
        }
        string device = parsed.GetRequiredValue(_device);
        if (!DeviceOption.IsName(device))
        {
            throw new UsageException($"'--device {device}' is for '--onnx'; TorchSharp, which '--model' draws with, takes cpu, cuda or cuda:N.");
        }
        string? release = _torch.Release(parsed);
        if (release is not null && source == ImageSource.Text)
        {
            throw new UsageException("'--dsd' is for drawing from references, but '--from' is text.");
        }
        DsdOptions frame = ModelPresets.Of(model!).Frame;
        return (
            new TorchImageModel(model!)
            {
                ReleaseFolder = release,
                Pipeline = _torch.Pipeline(parsed, device, source != ImageSource.Text, _terminal.Warn),
                Source = source,
            },
            frame with { BlockCache = _torch.BlockCache(parsed) });
    }

    private DsdOptions Framed(ParseResult parsed, DsdOptions frame)
    {
        PictureSize? size = parsed.GetValue(_size);
        return frame with
        {
            Width = size?.Width ?? frame.Width,
            Height = size?.Height ?? frame.Height,
            Steps = parsed.GetValue(_steps) ?? frame.Steps,
        };
    }
}
