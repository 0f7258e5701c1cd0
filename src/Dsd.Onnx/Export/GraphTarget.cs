namespace Dsd.Onnx.Export;

/// <summary>For which runtimes a network's graph is written.</summary>
public enum GraphTarget
{
    /// <summary>Operators of the ONNX standard (and ONNX Runtime's MatMulNBits for weights of 4 and 8 bits), for rows of any number.</summary>
    Portable,

    /// <summary>
    /// The operators of ONNX Runtime that its CUDA provider runs fastest, for one row at a time. Its CPU provider runs them too, in single precision.
    /// </summary>
    Cuda,
}
