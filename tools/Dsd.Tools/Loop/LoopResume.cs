namespace Dsd.Tools.Loop;

/// <summary>When a stage goes on in a folder that an earlier call left. Otherwise that is put aside, and the stage begins anew.</summary>
internal enum LoopResume
{
    /// <summary>When neither arguments nor inputs have changed.</summary>
    Unchanged,

    /// <summary>When no input has changed: its command refuses arguments that do not fit what is there, and takes the others.</summary>
    SameInputs,

    /// <summary>Always: its command keeps what still holds, and refuses what does not fit.</summary>
    Always,
}
