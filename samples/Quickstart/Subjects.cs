using Dsd.Tiny.World;

namespace Quickstart;

/// <summary>Whom the pictures show: subjects in words for the teacher, and others as pictures for the student.</summary>
internal static class Subjects
{
    /// <summary>Seed captions, in the words that the embedded teacher knows.</summary>
    public static IReadOnlyList<string> Captions { get; } =
    [
        "round green creature with white spots, cat ears and a red hat",
        "fluffy blue monster with one big eye wearing a yellow scarf",
        "tall orange mascot with black stripes and bunny ears",
        "heart shaped pink creature with two big eyes and a purple bow tie",
        "square yellow toy with floppy ears wearing green glasses",
        "star shaped red character with white belly and antennae",
        "pear shaped purple monster with three eyes and a yellow crown",
        "round white creature with teal spots, bear ears and a blue cape",
        "triangle shaped green monster with yellow stripes and a big grin",
        "fluffy orange friend with closed eyes, horns and a black hat",
        "tall blue creature with a white lower half and antennae",
        "square red monster with black spots and bunny ears",
    ];

    /// <summary>Where the student shall put each subject.</summary>
    public static IReadOnlyList<string> Prompts { get; } =
    [
        "this creature jumping on the beach at sunset, seen from near",
        "this creature sitting in the snow by day, seen from near",
        "this creature waving in the city at night, seen from near",
        "this creature running in a meadow by day, seen from near",
    ];

    /// <summary>Draws a subject, held out from all training, at home in a room.</summary>
    public static IEnumerable<byte[]> HeldOut(int seed) =>
        WorldSampler.Subjects((ulong)seed, heldOut: true).Select(subject => Renderer.Draw(subject, new Context { Scene = Scene.Room }).EncodePng());
}
