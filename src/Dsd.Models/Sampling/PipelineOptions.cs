using Dsd.Common.Options;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>Where and how a model is loaded.</summary>
public sealed record PipelineOptions
{
    /// <summary>Where the model computes. Null, the default, is the CPU. On CUDA, noise is still drawn on the CPU, so that a seed means the same.</summary>
    public Device? Device { get; init; }

    /// <summary>
    /// The type of weights and computation: float32 (the default), bfloat16 or float16. In float16 T5 and the autoencoder
    /// keep float32, since they overflow.
    /// </summary>
    public ScalarType DType
    {
        get;
        init => field = OptionCheck.OneOf(value, nameof(DType), ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16);
    } = ScalarType.Float32;

    /// <summary>
    /// A file with the transformer's weights in place of the folder's: Black Forest Labs' single file (<c>flux1-dev.safetensors</c>), whose
    /// shapes tell the config, or one in diffusers' layout, for which the folder's config holds. Null, the default: the folder's own.
    /// </summary>
    public string? TransformerFile { get; init; }

    /// <summary>
    /// A file with the autoencoder's weights in place of the folder's: Black Forest Labs' <c>ae.safetensors</c>, or one in diffusers' layout. The
    /// folder's config holds for it. Null, the default: the folder's own.
    /// </summary>
    public string? VaeFile { get; init; }

    /// <summary>Adapters laid over the transformer, all at once, as <see cref="DiffusionModel.SetAdapters"/> does. Default none.</summary>
    public IReadOnlyList<LoraUse> Loras { get; init => field = [.. value ?? throw new ArgumentNullException(nameof(Loras))]; } = [];

    /// <summary>
    /// Side in pixels of the tiles in which the autoencoder works on larger pictures: see <see cref="Autoencoder.AutoencoderKL.TileSide"/>. Null,
    /// the default, is none.
    /// </summary>
    public int? VaeTileSide { get; init; }

    /// <summary>What of the model the GPU's memory holds. Default: everything. The others need a CUDA device.</summary>
    public MemoryMode Memory { get; init => field = OptionCheck.Defined(value, nameof(Memory)); }

    /// <summary>
    /// Rounds the weights of the transformer's blocks to eight bits (e4m3, a factor for each output channel) and computes with them in eight
    /// bits: faster, half the memory, and not quite the same picture (docs/performance.md says by how much). It needs bfloat16 and a GPU of
    /// compute capability 9.0 or newer. Default false.
    /// </summary>
    public bool Float8 { get; init; }

    /// <summary>
    /// Whether the model will be trained. What each step of training needs then stays on the device: the transformer's modulations, where blocks
    /// pass through. What only pictures and prompts need waits in the host's memory: text encoders and autoencoder. Default false.
    /// </summary>
    internal bool Trains { get; init; }

    /// <summary>
    /// Called with a warning, a full sentence, when something is done otherwise than asked: a prompt was cut off. Null, the default: nobody is
    /// warned.
    /// </summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Whether text encoders and autoencoder wait in the host's memory, and are on the device only while they work.</summary>
    internal bool EncodersWait => Memory != MemoryMode.Resident || (Trains && Device is { type: TorchSharp.DeviceType.CUDA });

    /// <summary>The type for parts that overflow in float16.</summary>
    internal ScalarType WideType => DType == ScalarType.Float16 ? ScalarType.Float32 : DType;

    /// <summary>Checks the options against each other and against this machine.</summary>
    internal void Validate()
    {
        bool cuda = Device is { type: TorchSharp.DeviceType.CUDA };
        if (Memory != MemoryMode.Resident && !cuda)
        {
            throw new ArgumentException(
                $"Option {nameof(Memory)} is {Memory}, which saves a GPU's memory, but {nameof(Device)} is {Device?.ToString() ?? "the CPU"}. Leave it out.");
        }
        if (Float8 && (!cuda || DType != ScalarType.BFloat16))
        {
            throw new ArgumentException(
                $"Option {nameof(Float8)} needs a CUDA device and {nameof(DType)} BFloat16; here they are {Device?.ToString() ?? "the CPU"} and {DType}.");
        }
        if (Device is { type: TorchSharp.DeviceType.CUDA } && !torch.cuda.is_available())
        {
            throw new ArgumentException($"Option {nameof(Device)} is {Device}, but libtorch finds no CUDA device. "
                + "Add the package TorchSharp-cuda-linux or TorchSharp-cuda-windows to your program (one built from Dsd.MLNet's source: "
                + "build with -p:DsdTorchCuda=true) "
                + "and check the driver, or leave the option out to use the CPU.");
        }
        if (cuda && Device!.index >= torch.cuda.device_count())
        {
            throw new ArgumentException($"Option {nameof(Device)} is {Device}, but this machine has {torch.cuda.device_count()} CUDA devices, counted from 0.");
        }
    }
}
