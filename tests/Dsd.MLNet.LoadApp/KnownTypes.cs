using Microsoft.ML;

namespace Dsd.MLNet.LoadApp;

/// <summary>Whether row classes may have properties of the stages' types, in a process that did nothing else.</summary>
public static class KnownTypes
{
    /// <summary>Makes one stage, and then a view of rows with both types.</summary>
    public static void AfterMaking(string stage)
    {
        MLContext ml = new();
        object made = stage switch
        {
            "grids" => new GridGenerator(ml),
            "curator" => new VlmCurator(ml),
            "tuner" => new LoraFineTuner(ml),
            "generator" => new DsdGenerator(ml),
            _ => throw new ArgumentException($"There is no stage '{stage}'."),
        };
        GC.KeepAlive(made);
        IDataView view = ml.Data.LoadFromEnumerable([new BareRow { Image = SampleInput.Image(1, 32, 32) }]);
        foreach (DataViewSchema.Column column in view.Schema)
        {
            Console.WriteLine($"{column.Name}: {column.Type}");
        }
        Console.WriteLine($"rows: {ml.Data.CreateEnumerable<BareRow>(view, reuseRowObject: false).Count()}");
    }

    /// <summary>Loads a fine-tuner and reads its adapter into a property.</summary>
    public static void AfterLoading(string model)
    {
        MLContext ml = new();
        ITransformer loaded = ml.Model.Load(model, out _);
        IDataView view = loaded.Transform(ml.Data.LoadFromEnumerable([new CaptionRow()]));
        Console.WriteLine($"{ml.Data.CreateEnumerable<AdapterRow>(view, reuseRowObject: false).Single().Adapter!.Length} bytes");
    }
}
