using Dsd.Imaging;
using Dsd.Tiny;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary>Draws what the study asks every system for.</summary>
internal static class StudyCases
{
    private const ulong Salt = 0x57D7_CA5E;

    /// <summary>
    /// Cases of distinct held-out subjects, each with one reference and several prompts whose scene and pose are not the reference's.
    /// What a subject is asked for depends on the seed and its number alone, so that a smaller study is a part of a larger one.
    /// </summary>
    /// <param name="seed">Fixes the cases.</param>
    /// <param name="subjects">How many subjects, at least 1.</param>
    /// <param name="prompts">How many prompts for each, at least 1.</param>
    /// <param name="panelSize">Side of a reference in pixels.</param>
    /// <returns>The cases, subject by subject.</returns>
    public static IReadOnlyList<StudyCase> Draw(long seed, int subjects, int prompts, int panelSize = TinyModel.PanelSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(subjects, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(prompts, 1);
        Subject[] chosen = [.. WorldSampler.Subjects(WorldRandom.Mix((ulong)seed ^ Salt), heldOut: true).Distinct().Take(subjects)];
        return [.. chosen.SelectMany(
            (subject, i) => Of(subject, i, new WorldRandom(WorldRandom.Mix(WorldRandom.Mix((ulong)seed) ^ Salt ^ ((ulong)i << 32))), prompts, panelSize))];
    }

    private static IEnumerable<StudyCase> Of(Subject subject, int index, WorldRandom random, int prompts, int panelSize)
    {
        Context context = WorldSampler.SampleContext(random);
        Picture reference = Renderer.Draw(subject, context, panelSize);
        Caption caption = Captions.Single(subject, context, random.NextBits());
        for (int i = 0; i < prompts; i++)
        {
            Context asked = Elsewhere(context, random);
            yield return new StudyCase(
                index, subject, context, reference, caption, asked, Captions.Edit(asked, random.NextBits()), (long)(random.NextBits() >> 1));
        }
    }

    // A copy of the reference must not pass for following the prompt.
    private static Context Elsewhere(Context context, WorldRandom random)
    {
        while (true)
        {
            Context other = WorldSampler.SampleContext(random);
            if (other.Scene != context.Scene && other.Pose != context.Pose)
            {
                return other;
            }
        }
    }
}
