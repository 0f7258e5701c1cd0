using Dsd.Models.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Flux;

// Field names in this file are the checkpoint's keys. Dimension words: image and text are numbers of tokens of the two streams,
// tokens = text + image, width = heads · head.

/// <summary>Two linear layers with SiLU between them.</summary>
internal sealed class EmbeddingMlp : Module<Tensor, Tensor>
{
    private readonly AdaptableLinear linear_1;
    private readonly AdaptableLinear linear_2;

    public EmbeddingMlp(long inputs, long width, Device? device, ScalarType dtype)
        : base(nameof(EmbeddingMlp))
    {
        linear_1 = new AdaptableLinear(inputs, width, device, dtype);
        linear_2 = new AdaptableLinear(width, width, device, dtype);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => linear_2.forward(functional.silu(linear_1.forward(x)));
}

/// <summary>One vector of noise level, guidance and the prompt's pooled embedding, from which every modulation is computed.</summary>
internal sealed class TimeTextEmbedding : Module
{
    private const int Frequencies = 128;
    private readonly EmbeddingMlp timestep_embedder;
    private readonly EmbeddingMlp? guidance_embedder;
    private readonly EmbeddingMlp text_embedder;

    public TimeTextEmbedding(FluxConfig config, Device? device, ScalarType dtype)
        : base(nameof(TimeTextEmbedding))
    {
        timestep_embedder = new EmbeddingMlp(2 * Frequencies, config.Width, device, dtype);
        guidance_embedder = config.GuidanceEmbeds ? new EmbeddingMlp(2 * Frequencies, config.Width, device, dtype) : null;
        text_embedder = new EmbeddingMlp(config.PooledProjectionDim, config.Width, device, dtype);
        RegisterComponents();
    }

    public Tensor forward(Tensor timestep, Tensor? guidance, Tensor pooled)
    {
        Tensor embedding = timestep_embedder.forward(Sinusoid(timestep).to(pooled.dtype)); // [batch, width]
        if (guidance_embedder is not null)
        {
            embedding = embedding.Plus(guidance_embedder.forward(Sinusoid(guidance!).to(pooled.dtype)));
        }
        return embedding.Plus(text_embedder.forward(pooled));
    }

    /// <summary>Cosines, then sines, of the value at 128 frequencies from 1 down to 1 / 10000, in float32.</summary>
    private static Tensor Sinusoid(Tensor values)
    {
        Tensor exponents = TensorMath.Range(Frequencies, ScalarType.Float32, values.device).Times(-Math.Log(10000) / Frequencies);
        Tensor angles = values.to(ScalarType.Float32).unsqueeze(1) * exponents.exp(); // [batch, 128]
        return cat([angles.cos(), angles.sin()], dim: 1); // [batch, 256]
    }
}
