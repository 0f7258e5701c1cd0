using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.Stages.Columns;

/// <summary>The types of columns that stages read and add.</summary>
internal static class ColumnTypes
{
    /// <summary>
    /// Makes ML.NET know them, so that row classes may have properties of these types from the first stage on, made or loaded. Doing it again does
    /// nothing.
    /// </summary>
    public static void Register()
    {
        DataViewTypeManager.Register(new ImageDataViewType(), typeof(MLImage));
        DataViewTypeManager.Register(new LoraDataViewType(), typeof(LoraWeights));
    }
}
