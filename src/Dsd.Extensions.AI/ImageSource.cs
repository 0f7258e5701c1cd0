namespace Dsd.Extensions.AI;

/// <summary>What a picture is drawn from.</summary>
public enum ImageSource
{
    /// <summary>A reference picture and a prompt: the student.</summary>
    Reference,

    /// <summary>A prompt alone: the teacher.</summary>
    Text,

    /// <summary>Either, as each request says. With TorchSharp two models are loaded for it, the student and the plain one.</summary>
    Either,
}
