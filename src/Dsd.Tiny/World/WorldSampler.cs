using Dsd.Curation.Grids;

namespace Dsd.Tiny.World;

/// <summary>Draws subjects, contexts and grids from the world, and keeps the subjects that no training may see apart from the others.</summary>
public static class WorldSampler
{
    /// <summary>The share of grids whose panels do not all show the same subject, unless the caller states another.</summary>
    public const double InconsistentShare = 0.4;

    /// <summary>The share of pair grids in the teacher's training that show one picture under two lights.</summary>
    public const double RelightShare = 0.2;

    // On a grid that loses its subject so many attributes are drawn anew: enough to harm a student that learns from it.
    private const int LeastLost = 3;
    private const int MostLost = 6;

    /// <summary>The share of grids whose panels have a white border.</summary>
    public const double BorderedShare = 0.25;

    private const ulong HeldOutSalt = 0x5D5D_2411_1861_6000UL;

    /// <summary>
    /// Whether the subject belongs to the one in twenty that training never sees. Decided by a hash of <see cref="Subject.Key"/>, so the same in every run.
    /// </summary>
    public static bool IsHeldOut(Subject subject)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return WorldRandom.Mix((ulong)subject.Key ^ HeldOutSalt) % 20 == 0;
    }

    /// <summary>A valid subject, every value of an attribute about equally likely.</summary>
    /// <param name="random">Where the randomness comes from.</param>
    /// <param name="heldOut">True for a subject held out from training, false for one that training may see.</param>
    public static Subject SampleSubject(WorldRandom random, bool heldOut = false)
    {
        ArgumentNullException.ThrowIfNull(random);
        while (true)
        {
            int[] values = [.. Subject.Kinds.Select(kind => random.Next(kind.Count))];
            Subject subject = Repair(Subject.FromValues(values), random);
            if (subject.IsValid && IsHeldOut(subject) == heldOut)
            {
                return subject;
            }
        }
    }

    /// <summary>An endless sequence of subjects: the same for the same seed.</summary>
    /// <param name="seed">Fixes the sequence.</param>
    /// <param name="heldOut">True for subjects held out from training.</param>
    public static IEnumerable<Subject> Subjects(ulong seed, bool heldOut = false)
    {
        WorldRandom random = new(seed);
        while (true)
        {
            yield return SampleSubject(random, heldOut);
        }
    }

    /// <summary>A context, every value of an attribute equally likely.</summary>
    public static Context SampleContext(WorldRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        int[] values = [.. Context.Kinds.Select(kind => random.Next(kind.Count))];
        return Context.FromValues(values, random.Next(Context.VariantCount));
    }

    /// <summary>The same subject with one to three of its attributes changed: a pair that only a careful look tells apart.</summary>
    /// <param name="subject">The subject to depart from.</param>
    /// <param name="random">Where the randomness comes from.</param>
    /// <param name="heldOut">Whether the changed subject is one of those held out from training.</param>
    public static Subject Change(Subject subject, WorldRandom random, bool heldOut = false) => Change(subject, random, heldOut, least: 1, most: 3);

    private static Subject Change(Subject subject, WorldRandom random, bool heldOut, int least, int most)
    {
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(random);
        while (true)
        {
            int[] values = subject.Values;
            int changes = least + random.Next(most - least + 1);
            for (int i = 0; i < changes; i++)
            {
                int attribute = random.Next(values.Length);
                values[attribute] = random.Next(Subject.Kinds[attribute].Count);
            }
            Subject changed = Repair(Subject.FromValues(values), random);
            if (changed.IsValid && changed != subject && IsHeldOut(changed) == heldOut)
            {
                return changed;
            }
        }
    }

    /// <summary>A grid whose panels differ in scene and mostly show one subject.</summary>
    /// <param name="random">Where the randomness comes from.</param>
    /// <param name="layout">How the panels are arranged.</param>
    /// <param name="inconsistentShare">
    /// The probability, 0 … 1, that not all panels show the same subject: then one panel, or now and then two of a quad, shows one
    /// that three to six attributes were drawn anew for.
    /// </param>
    /// <param name="heldOut">True for subjects held out from training.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is outside 0 … 1.</exception>
    public static WorldGrid SampleGrid(WorldRandom random, GridLayout layout, double inconsistentShare = InconsistentShare, bool heldOut = false)
    {
        ArgumentNullException.ThrowIfNull(random);
        CheckShare(inconsistentShare);
        WorldGrid.CheckLayout(layout);
        Subject subject = SampleSubject(random, heldOut);
        int count = layout.Panels;
        Subject[] subjects = [.. Enumerable.Repeat(subject, count)];
        if (random.Chance(inconsistentShare))
        {
            int wrong = layout == GridLayout.TwoByTwo && random.Chance(0.3) ? 2 : 1;
            for (int i = 0; i < wrong; i++)
            {
                subjects[random.Next(count)] = Change(subject, random, heldOut, LeastLost, MostLost);
            }
        }
        List<WorldPanel> panels = [];
        HashSet<Scene> scenes = [];
        foreach (Subject shown in subjects)
        {
            Context context = SampleContext(random);
            while (!scenes.Add(context.Scene))
            {
                context = context with { Scene = (Scene)random.Next(Context.Kinds[0].Count) };
            }
            panels.Add(new WorldPanel(shown, context));
        }
        return new WorldGrid(layout, panels, random.Chance(BorderedShare));
    }

    /// <summary>A pair grid that shows one picture under two different lights: scene, pose, placement and scale stay.</summary>
    /// <param name="random">Where the randomness comes from.</param>
    /// <param name="inconsistentShare">The probability, 0 … 1, that the second panel shows another subject.</param>
    /// <param name="heldOut">True for subjects held out from training.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is outside 0 … 1.</exception>
    public static WorldGrid SampleRelightGrid(WorldRandom random, double inconsistentShare = InconsistentShare, bool heldOut = false)
    {
        ArgumentNullException.ThrowIfNull(random);
        CheckShare(inconsistentShare);
        Subject subject = SampleSubject(random, heldOut);
        Subject second = random.Chance(inconsistentShare) ? Change(subject, random, heldOut, LeastLost, MostLost) : subject;
        Context context = SampleContext(random);
        return new WorldGrid(
            GridLayout.OneByTwo,
            [new WorldPanel(subject, context), new WorldPanel(second, context with { Light = OtherLight(context.Light, random) })],
            random.Chance(BorderedShare));
    }

    /// <summary>A light other than the given one, each equally likely.</summary>
    public static Light OtherLight(Light light, WorldRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        int count = Context.Kinds[4].Count;
        return (Light)(((int)light + 1 + random.Next(count - 1)) % count);
    }

    private static void CheckShare(double inconsistentShare)
    {
        if (inconsistentShare is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(inconsistentShare), inconsistentShare, "The share of inconsistent grids must lie between 0 and 1.");
        }
    }

    // Values drawn independently often leave a pattern without a colour, or a colour without a pattern.
    private static Subject Repair(Subject subject, WorldRandom random)
    {
        PatternColor patternColor = subject.Pattern == Pattern.Plain ? PatternColor.None
            : subject.PatternColor == PatternColor.None ? (PatternColor)(1 + random.Next(Subject.Kinds[3].Count - 1))
            : subject.PatternColor;
        AccessoryColor accessoryColor = subject.Accessory == Accessory.None ? AccessoryColor.None
            : subject.AccessoryColor == AccessoryColor.None ? (AccessoryColor)(1 + random.Next(Subject.Kinds[8].Count - 1))
            : subject.AccessoryColor;
        return subject with { PatternColor = patternColor, AccessoryColor = accessoryColor };
    }
}
