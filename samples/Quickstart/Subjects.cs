using Dsd.Tiny.World;

namespace Quickstart;

/// <summary>Whom the pictures show: subjects in words for the teacher, and others as pictures for the student.</summary>
internal static class Subjects
{
    /// <summary>Seed captions, in the words that the embedded teacher knows. What they leave open, the two panels of a grid may show differently.</summary>
    public static IReadOnlyList<string> Captions { get; } =
    [
        "round green creature with white spots, cat ears, two big eyes and a big grin, wearing a red hat",
        "fluffy blue monster with plain fur, one big eye, bear ears and a smile, wearing a yellow scarf",
        "tall orange mascot with black stripes, bunny ears, three eyes and an open mouth",
        "heart shaped pink creature with a white belly, two big eyes, horns and a smile, wearing a purple bow tie",
        "square yellow toy with floppy ears, black dot eyes and a beak, wearing a green crown",
        "star shaped red character with a white belly, antennae, one big eye and an open mouth",
        "pear shaped purple monster with three eyes, cat ears and a big grin, wearing a yellow crown",
        "round white creature with teal spots, bear ears, two big eyes and a smile, wearing a blue cape",
        "triangle shaped green monster with yellow stripes, horns, three eyes and a big grin",
        "fluffy orange friend with closed eyes, horns and a smile, wearing a black hat",
        "tall blue creature with a white lower half, antennae, two big eyes and an open mouth",
        "square red monster with black spots, bunny ears, one big eye and white teeth",
        "pear shaped white toy with black stripes, cat ears, two big eyes and a smile, wearing a red scarf",
        "star shaped yellow mascot with a teal belly, bear ears, closed eyes and a smile",
        "round pink character with plain fur, bunny ears, one big eye and an open mouth, wearing a blue bow tie",
        "heart shaped red friend with white spots, antennae, two big eyes and a big grin",
        "tall green creature with a yellow belly, horns, black dot eyes and a beak, wearing a purple scarf",
        "square blue monster with white stripes, cat ears, three eyes and an open mouth",
        "triangle shaped purple mascot with a white lower half, floppy ears, two big eyes and a smile, wearing a yellow hat",
        "fluffy white creature with black spots, bear ears, one big eye and a big grin",
        "pear shaped orange toy with a white belly, bunny ears, two big eyes and an open mouth, wearing a green cape",
        "star shaped blue monster with yellow spots, horns, three eyes and a smile",
        "round yellow friend with plain fur, antennae, closed eyes and a beak, wearing a red bow tie",
        "square pink creature with teal stripes, floppy ears, two big eyes and a big grin",
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
