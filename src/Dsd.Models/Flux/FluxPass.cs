using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>
/// One step's pass through the blocks: what modulates them, which of them run on which rows of the batch, and which keep their graphs. Without a cache all run
/// on all rows, without a tape all keep their graphs.
/// </summary>
/// <param name="modulations">Shifts, scales and gates of all steps.</param>
/// <param name="rotary">[tokens, 1, head / 2], complex.</param>
/// <param name="step">The step, from 0.</param>
/// <param name="cache">Knows the rows whose blocks after the first can be left out; null for none.</param>
/// <param name="tape">Runs the blocks that keep no graph; null for none.</param>
internal sealed class FluxPass(StepModulations modulations, Tensor rotary, int step, FirstBlockCache? cache, FluxTape? tape)
{
    private Tensor? _afterFirst;
    private Tensor? _index;
    private long[] _rows = [];

    private bool IsOver => _afterFirst is not null && _rows.Length == 0;

    /// <summary>The blocks that run, in order.</summary>
    public IEnumerable<T> Through<T>(IEnumerable<T> blocks)
    {
        if (IsOver)
        {
            yield break;
        }
        foreach (T block in blocks)
        {
            yield return block;
            if (IsOver)
            {
                yield break;
            }
        }
    }

    /// <summary>The streams after a block: image [batch, image, width] and text [batch, text, width].</summary>
    public (Tensor Image, Tensor Text) Run(DoubleStreamBlock block, Tensor image, Tensor text) =>
        tape?.Run(block, image, text) ?? block.forward(image, text, Of(block.ImageModulation), Of(block.TextModulation), rotary);

    /// <summary>The joined stream after a block: [batch, tokens, width], text first.</summary>
    public Tensor Run(SingleStreamBlock block, Tensor joined, long textTokens) =>
        tape?.Run(block, joined, textTokens) ?? block.forward(joined, Of(block.Modulation), rotary);

    /// <summary>The parts of a modulation outside the blocks: [batch, 1, width] each.</summary>
    public Tensor[] Parts(Modulation modulation) => modulations.Parts(modulation, step);

    /// <summary>After the first block: leaves out the rows that the cache knows.</summary>
    /// <param name="imageBefore">Image tokens before the block: [batch, image, width].</param>
    /// <param name="image">Image tokens after it.</param>
    /// <param name="text">Text tokens after it: [batch, text, width].</param>
    /// <returns>The tokens of the rows that go on; all tokens where no row does.</returns>
    public (Tensor Image, Tensor Text) LeaveOut(Tensor imageBefore, Tensor image, Tensor text)
    {
        if (cache is null || _afterFirst is not null)
        {
            return (image, text);
        }
        _afterFirst = image.alias();
        _rows = cache.Changed(imageBefore, image);
        if (_rows.Length == 0 || _rows.Length == image.shape[0])
        {
            return (image, text);
        }
        _index = tensor(_rows).to(image.device);
        using Tensor allImage = image, allText = text;
        return (image.index_select(0, _index), text.index_select(0, _index));
    }

    /// <summary>The image tokens after the last block, of all rows: [batch, image, width].</summary>
    /// <param name="joined">The joined stream of the rows that ran: [rows, tokens, width].</param>
    /// <param name="textTokens">Its text tokens, which come first.</param>
    public Tensor Complete(Tensor joined, long textTokens)
    {
        Tensor all = tape?.End(joined) ?? joined;
        Tensor image = all.narrow(1, textTokens, all.shape[1] - textTokens);
        return _afterFirst is null ? image : cache!.Complete(_afterFirst, _rows, image);
    }

    // Shift, scale and gate of each sublayer of a block, for the rows that run.
    private Modulated[] Of(Modulation modulation) => modulations.Of(modulation, step, _index);
}
