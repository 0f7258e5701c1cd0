namespace Dsd.Tiny.World;

/// <summary>The words for every value; the first of each list is the one that fixed templates use.</summary>
internal static class CaptionVocabulary
{
    public static readonly string[] Nouns = ["creature", "monster", "character", "mascot", "toy", "little creature", "cartoon character", "cute monster",
        "friend", "animal"];

    public static readonly string[][] Shapes =
    [
        ["round", "ball shaped"], ["tall", "tall and slim", "long"], ["square", "boxy", "block shaped"], ["pear shaped", "pear like"],
        ["star shaped", "star like"], ["triangle shaped", "pointed", "cone shaped"], ["fluffy", "cloud shaped", "puffy"], ["heart shaped"],
    ];

    public static readonly string[][] Colors =
        [["red", "bright red"], ["orange"], ["yellow", "golden"], ["green", "grass green"], ["blue", "deep blue"], ["purple", "violet"],
            ["pink", "rosy pink"], ["white", "snow white"]];

    public static readonly string[][] PatternColors = [[""], ["white"], ["black", "dark"], ["yellow"], ["teal", "turquoise"]];

    // {0} is the second colour with a space behind it, or empty.
    public static readonly string[][] Patterns =
    [
        ["plain fur", "no pattern", "plain skin"], ["{0}stripes", "{0}striped fur", "{0}bands"], ["{0}spots", "{0}dots all over", "{0}spotted fur"],
        ["a {0}belly", "a round {0}tummy"], ["a {0}lower half", "a {0}bottom half and {0}feet", "a {0}lower body"],
    ];

    public static readonly string[][] Eyes =
    [
        ["two big eyes", "two large eyes", "two round eyes"], ["one big eye", "a single eye", "only one eye"], ["three eyes"],
        ["closed eyes", "happily closed eyes"], ["black dot eyes", "small black eyes", "dot eyes"],
    ];

    public static readonly string[][] Ears =
    [
        ["no ears"], ["cat ears", "pointed ears"], ["bunny ears", "long ears", "rabbit ears"], ["bear ears", "round ears"],
        ["floppy ears", "hanging ears", "dog ears"], ["horns", "two horns", "curved horns"], ["antennae", "two antennae", "feelers"],
    ];

    public static readonly string[][] Mouths = [["a smile", "a smiling mouth"], ["an open mouth", "a wide open mouth"],
        ["white teeth", "a big grin", "a toothy grin"], ["a beak", "an orange beak"]];

    // What is worn, without its article and colour.
    public static readonly string[][] Accessories = [["nothing"], ["hat", "top hat"], ["crown"], ["bow tie", "bow"], ["scarf"], ["glasses"], ["cape", "cloak"]];

    public static readonly string[][] AccessoryColors = [[""], ["red"], ["yellow", "golden"], ["green"], ["blue"], ["purple", "violet"], ["black"]];

    public static readonly string[][] Scenes =
    [
        ["on the beach", "at the beach", "by the sea", "on a sandy beach"], ["in the forest", "in the woods", "among the trees"],
        ["in the city", "on a city street", "in town"], ["in the snow", "in a snowy land", "among snowy mountains"],
        ["in the desert", "in a hot desert", "among desert dunes"], ["in a meadow", "on a meadow with flowers", "in a green field"],
        ["in a room", "at home in a room", "indoors"], ["underwater", "under water", "at the bottom of the sea"],
        ["in space", "on the moon", "on another planet"], ["on a stage", "on a theater stage", "on stage"],
    ];

    public static readonly string[][] Poses =
    [
        ["standing", "standing still"], ["waving", "waving hello", "waving a hand"], ["jumping", "jumping up", "leaping"],
        ["sitting", "sitting down", "sitting on the ground"], ["lying down", "lying on its side", "resting on the ground"],
        ["running", "running fast", "racing"],
    ];

    public static readonly string[][] Placements = [["on the left", "at the left side"], ["in the center", "in the middle"],
        ["on the right", "at the right side"]];

    public static readonly string[][] Scales = [["small in the picture", "far away", "seen from far"], ["at a medium distance", "not far away"],
        ["large in the picture", "close up", "seen from near"]];

    public static readonly string[][] Lights =
    [
        ["by day", "in daylight", "on a sunny day", "during the day"], ["at sunset", "in the evening", "in warm evening light"],
        ["at night", "in the dark", "by moonlight", "under a night sky"],
    ];
}
