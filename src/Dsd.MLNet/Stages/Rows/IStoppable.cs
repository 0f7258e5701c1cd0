namespace Dsd.MLNet.Stages.Rows;

/// <summary>A cursor of ours whose computing can be ended from another thread.</summary>
internal interface IStoppable
{
    /// <summary>Ends what is being computed for the cursor, and for those that it reads from. It is disposed afterwards, and not read again.</summary>
    void Stop();
}
