using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.LoadApp;

/// <summary>Small inputs for each kind of stage, the same in every process.</summary>
public static class SampleInput
{
    /// <summary>The input of a kind: captions, grids, pairs or references.</summary>
    public static IDataView Of(MLContext ml, string kind) => kind switch
    {
        "captions" => ml.Data.LoadFromEnumerable(Three(i => new CaptionRow { Caption = $"a fox number {i}" })),
        "grids" => ml.Data.LoadFromEnumerable(Three(i => new GridRow
        {
            Caption = $"caption {i}",
            PanelCaptions = ["panel 0", "panel 1", "panel 2", "panel 3"],
            Grid = Image(i, 64, 32),
        })),
        "pairs" => ml.Data.LoadFromEnumerable(
            Three(i => new PairRow { Reference = Image(i, 32, 32), Target = Image(i + 100, 32, 32), Prompt = $"prompt {i}", Kept = i != 1 })),
        "references" => ml.Data.LoadFromEnumerable(Three(i => new ReferenceRow { Reference = Image(i, 32, 32), Prompt = $"prompt {i}" })),
        _ => throw new ArgumentException($"There is no sample input '{kind}'."),
    };

    /// <summary>An image whose pixels come from a number.</summary>
    public static MLImage Image(int seed, int width, int height)
    {
        byte[] pixels = new byte[4 * width * height];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = i % 4 == 3 ? (byte)255 : (byte)(seed * 37 + i * (i % 4 + 1) / width);
        }
        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Bgra32, pixels);
    }

    private static T[] Three<T>(Func<int, T> make) => [.. Enumerable.Range(0, 3).Select(make)];
}
