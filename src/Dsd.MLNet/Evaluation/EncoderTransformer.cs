using Dsd.Evaluation.Encoders;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>What the fitted stages have in common that use an exported encoder.</summary>
public abstract class EncoderTransformer : RowToRowTransformer
{
    private protected EncoderTransformer(IHostEnvironment environment, string stage, string encoder, CancellationToken cancellationToken)
        : base(new StageHost(environment, stage, cancellationToken))
    {
        Folder = EncoderFolder.Open(encoder);
    }

    /// <summary>The encoder.</summary>
    public EncoderFolder Folder { get; }

    /// <summary>The shape of an input with what the stage adds.</summary>
    internal SchemaShape Extend(SchemaShape input) => Policy.Extend(input, Added);

    /// <inheritdoc/>
    public override void Dispose() => Host.Close();

    /// <summary>Checks all that can be known before a row is read: columns, device, files.</summary>
    internal virtual void Require(SchemaShape input)
    {
        Policy.RequireDifferent(Added);
        Check(input);
    }
}
