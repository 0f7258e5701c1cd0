using Dsd.Models.Lora;

namespace Dsd.Tools.Doctor;

/// <summary>What is looked at.</summary>
internal sealed record DoctorRequest
{
    /// <summary>The model as it was named.</summary>
    public required string Model { get; init; }

    /// <summary>The model's folder.</summary>
    public required string Folder { get; init; }

    /// <summary>A release of Diffusion Self-Distillation; null for none.</summary>
    public string? Release { get; init; }

    /// <summary>Adapters.</summary>
    public IReadOnlyList<LoraUse> Loras { get; init; } = [];

    /// <summary>cpu, cuda or cuda:N.</summary>
    public required string Device { get; init; }

    /// <summary>Whether all files are read and their SHA-256 told.</summary>
    public bool Hashes { get; init; }

    /// <summary>Whether a velocity is computed.</summary>
    public bool Computes { get; init; } = true;
}
