namespace Dsd.MLNet;

/// <summary>
/// What a stage does with a row that it cannot compute because of what the row holds: an empty text, no picture, one that cannot be decoded or is too small,
/// a value that a stage above could not give for such a reason, a caption of which a chat client makes no prompt that can be read. What concerns all rows
/// always fails: a model that cannot be loaded, a device without memory, a chat client that does not answer.
/// </summary>
public enum BadRows
{
    /// <summary>The row fails with a <see cref="DsdRowException"/>, which ends the pass.</summary>
    Fail,

    /// <summary>
    /// The row stays. A text column that is added says what is wrong, and is empty in good rows. The stage's other added columns are then null (images), NaN,
    /// false or empty.
    /// </summary>
    Mark,

    /// <summary>
    /// The row is left out, and the context's log says how many were. The stage then no longer maps rows one to one, so <c>PredictionEngine</c> refuses it.
    /// </summary>
    Skip,
}
