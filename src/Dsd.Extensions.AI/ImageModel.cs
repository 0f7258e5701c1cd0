namespace Dsd.Extensions.AI;

/// <summary>Which model draws, and with what: <see cref="TorchImageModel"/> or <see cref="OnnxImageModel"/>.</summary>
public abstract record ImageModel
{
    private protected ImageModel()
    {
    }

    /// <summary>What pictures shall be drawn from. Null, the default: from a reference if the model takes one, else from text.</summary>
    public ImageSource? Source { get; init; }

    /// <summary>Loads it.</summary>
    internal abstract OpenedModel Open();

    /// <summary>The same model, which tells its warnings to somebody, unless it has somebody already.</summary>
    internal abstract ImageModel Warning(Action<string> warn);
}
