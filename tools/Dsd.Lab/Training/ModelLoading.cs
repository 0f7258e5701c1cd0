using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>How models of the small world are loaded for training and measuring.</summary>
internal static class ModelLoading
{
    /// <summary>bfloat16 on CUDA; processors mostly have no fast bfloat16.</summary>
    public static PipelineOptions On(Device device) => new()
    {
        Device = device,
        DType = device.type == DeviceType.CUDA ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    /// <summary>Lets GPUs multiply float32 with the ten bits of TF32, for the whole process.</summary>
    public static void AllowTf32() => backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = true;
}
