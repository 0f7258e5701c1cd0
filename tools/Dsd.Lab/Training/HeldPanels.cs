using Dsd.Tiny.World;

namespace Dsd.Lab.Training;

/// <summary>Which panels of a batch of grids are held at less noise than the step's, and how much less.</summary>
/// <param name="Panels">Panels of a grid.</param>
/// <param name="NoiseShares">For each panel, grid by grid, its noise as a share of the step's: 1 for one that learns, below 1 for one that is held.</param>
internal sealed record HeldPanels(int Panels, float[] NoiseShares)
{
    /// <summary>Decided by seed and step alone. At least one panel of every grid learns; of grids that are not in-context all do.</summary>
    /// <param name="config">How often what is held.</param>
    /// <param name="inContext">For each grid whether it is one to look across.</param>
    /// <param name="panels">Panels of a grid.</param>
    /// <param name="seed">The training's seed.</param>
    /// <param name="step">The step.</param>
    public static HeldPanels Draw(InContextConfig config, IReadOnlyList<bool> inContext, int panels, long seed, long step)
    {
        WorldRandom random = new(WorldRandom.Mix((ulong)seed + 4) ^ (ulong)step);
        float[] shares = new float[inContext.Count * panels];
        Array.Fill(shares, 1);
        for (int grid = 0; grid < inContext.Count; grid++)
        {
            if (!inContext[grid] || panels == 1 || random.Chance(config.TogetherShare))
            {
                continue;
            }
            float share = random.Chance(config.CleanShare) ? 0 : (float)(random.Next(1 << 20) / (double)(1 << 20));
            int held = 1 + random.Next(panels - 1);
            for (int panel = 0; panel < panels; panel++)
            {
                // Each choice of so many among those that are left is equally likely.
                if (random.Next(panels - panel) < held)
                {
                    shares[grid * panels + panel] = share;
                    held--;
                }
            }
        }
        return new HeldPanels(panels, shares);
    }

    /// <summary>Whether any panel is held.</summary>
    public bool Any => NoiseShares.Any(share => share < 1);

    /// <summary>
    /// Weights of the panels' losses: 0 for a held one. Those of a grid sum up to its panels, so that each grid counts the same however many of them learn.
    /// </summary>
    public float[] Weights() =>
    [
        .. NoiseShares.Chunk(Panels).SelectMany(shares =>
        {
            float learning = shares.Count(share => share == 1);
            return shares.Select(share => share == 1 ? Panels / learning : 0);
        }),
    ];
}
